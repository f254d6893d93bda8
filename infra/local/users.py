"""A reader and an operator in the stack's Cognito user pool, and their tokens."""

import secrets
from collections.abc import Mapping
from contextlib import suppress

from infra.local.cloud import Cloud

OPERATORS = "operators"
PEOPLE: Mapping[str, tuple[str, ...]] = {"user": (), "operator": (OPERATORS,)}
"""Who the local stack knows, and the groups of each."""


def sign_in(cloud: Cloud, pool: str, client: str, person: str) -> str:
    """Create the person where needed, set a fresh random password, and return an ID token.

    The password is used once and forgotten: the next call sets another.
    """
    password = f"{secrets.token_urlsafe(18)}aA1!"
    with suppress(cloud.users.exceptions.UsernameExistsException):
        cloud.users.admin_create_user(
            UserPoolId=pool,
            Username=person,
            MessageAction="SUPPRESS",
            UserAttributes=[
                {"Name": "email", "Value": f"{person}@plumbline.local"},
                {"Name": "email_verified", "Value": "true"},
            ],
        )
    cloud.users.admin_set_user_password(UserPoolId=pool, Username=person, Password=password, Permanent=True)
    for group in PEOPLE[person]:
        cloud.users.admin_add_user_to_group(UserPoolId=pool, Username=person, GroupName=group)
    answer = cloud.users.initiate_auth(
        ClientId=client,
        AuthFlow="USER_PASSWORD_AUTH",
        AuthParameters={"USERNAME": person, "PASSWORD": password},
    )
    return answer["AuthenticationResult"]["IdToken"]
