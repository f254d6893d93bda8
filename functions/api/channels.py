"""The channels to their subscribers: how each of them does."""

from typing import Annotated, Any

from pydantic import Field

from api.inputs import Query
from api.operations import Answer, Call, Resource
from api.rendering import period_body
from api.report_answers import ChannelsPerformance
from api.reports import channel_body
from plumbline import reports
from plumbline.queries import Period, first_instant

channels = Resource("channels")

PATH = "/api/v1/signals"
_CHANNEL: dict[str, Any] = {
    "type": "string",
    "pattern": "^[a-z0-9][a-z0-9-]{0,99}$",
    "description": "a published channel, or `external` where outside signals have come in",
    "examples": ["momentum-alpha"],
}


class DaysQuery(Query):
    """Which days the trades closed in."""

    days: Annotated[int, Field(ge=1, le=365, description="UTC days, the running one included")] = 30


@channels.get(
    f"{PATH}/performance",
    "How the channels do",
    query=DaysQuery,
    answers={200: ChannelsPerformance},
    problems=(422,),
)
def channels_performance(call: Call, query: DaysQuery) -> Answer:
    """One row for each channel: its paper trades that closed in the period and those open now, after costs."""
    return _answer(call, query.days, None)


@channels.get(
    f"{PATH}/performance/{{channel_id}}",
    "How one channel does",
    parts={"channel_id": _CHANNEL},
    query=DaysQuery,
    answers={200: ChannelsPerformance},
    problems=(404, 422),
)
def channel_performance(call: Call, query: DaysQuery, channel_id: str) -> Answer:
    """The same with the row of this channel alone."""
    return _answer(call, query.days, channel_id)


def _answer(call: Call, days: int, channel_id: str | None) -> Answer:
    stores, now = call.stores, call.now
    rows = reports.channel_performance(stores, days, channel_id, now)
    about = period_body(Period(days, first_instant(days, now), now, {}), stores.source)
    body = ChannelsPerformance(
        success=True, timeframe_days=days, channels=[channel_body(row) for row in rows], period=about
    )
    return Answer(body)
