"""The example events, as `make invoke` sends them."""

import json
from dataclasses import replace
from pathlib import Path

import pytest
from chalice.local import LambdaContext

from plumbline.ports import Universe
from tests.fakes import memory_stores
from tests.functions.gateway import OPERATOR, Gateway, InMemoryReplies, services

EVENTS = sorted((Path(__file__).parents[1] / "events").glob("api_*.json"))
ANSWERS = {"api_latest": 404, "api_paper_trade": 404, "api_track_signal": 201}
"""There is no signal and no trade before the first. All others: 200."""


@pytest.mark.parametrize("file", EVENTS, ids=lambda file: file.stem)
def test_an_example_event_is_one_that_the_api_answers(file: Path) -> None:
    event = json.loads(file.read_text(encoding="utf-8"))
    if "authorizer" in event["requestContext"]:
        event["requestContext"]["authorizer"]["claims"] |= {"cognito:groups": OPERATOR["cognito:groups"]}
    stores = memory_stores()
    stores.markets.add(Universe(day="2026-11-20", markets=("BTC/USDT", "ETH/USDT", "SOL/USDT"), most_traded={}))
    gateway = Gateway(replace(services(stores), replies=InMemoryReplies))
    answer = gateway.app(event, LambdaContext("plumbline-test-api", 256, max_runtime_ms=30_000))
    assert answer["statusCode"] == ANSWERS.get(file.stem, 200), answer["body"]


def test_every_public_path_of_the_record_has_an_example() -> None:
    shown = {json.loads(file.read_text(encoding="utf-8"))["resource"] for file in EVENTS}
    public = {path for path in Gateway().app.routes if path.startswith(("/api/public/", "/bot-performance"))}
    assert public <= shown
