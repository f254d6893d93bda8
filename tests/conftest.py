"""What holds for every test."""

import pytest


@pytest.fixture(autouse=True)
def no_address_of_another_tests_cloud(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """The local command must set AWS_ENDPOINT_URL for localstack-client; the next test must not follow it there."""
    if "cloud" not in request.path.parts:
        monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
