"""What AWS's and HTTP's client libraries raise, as one sentence with what to do."""

import httpx
from botocore import exceptions as aws

from plumbline.domain.errors import PlumblineError, Unavailable

VENDORS = (aws.BotoCoreError, aws.ClientError, httpx.HTTPError)
"""Their roots."""


def translated(exc: Exception) -> PlumblineError:
    """The same failure as an error of ours; one of ours is returned as it is."""
    match exc:
        case PlumblineError():
            return exc
        case aws.ConnectionError() | aws.HTTPClientError():
            return _silent("local AWS", str(exc.kwargs.get("endpoint_url", "its endpoint")), exc)
        case httpx.RequestError():
            return _silent("server", str(exc.request.url), exc)
        case aws.ClientError():
            return PlumblineError(f"the local AWS said: {exc}. Was it started anew? Then run `plumbline up`")
        case _:
            return PlumblineError(f"{type(exc).__name__}: {exc}")


def _silent(what: str, address: str, exc: Exception) -> Unavailable:
    return Unavailable(f"the {what} at {address} does not answer: run `plumbline up` ({type(exc).__name__}: {exc})")
