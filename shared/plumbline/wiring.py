"""Builds the adapters once per container; heavy imports wait inside until a function asks for what they bring."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from plumbline.domain.calendar import Timeframe
from plumbline.events import wall_clock
from plumbline.pipeline.progress import EnoughTime, collecting
from plumbline.ports import Exchange, Schedules, Stores
from plumbline.settings import OWN_MARKETS, Settings

_RESERVE_MS = 15_000
"""No new slice of work is begun with less than this left of a function's time."""


@dataclass(frozen=True, slots=True)
class App:
    """What a handler works with. Tests hand one over whose parts are fakes."""

    settings: Settings
    stores: Stores
    exchange: Callable[[], Exchange]


@cache
def app() -> App:
    """This container's services."""
    return App(settings(), stores(), exchange)


@cache
def settings() -> Settings:
    """Settings of the environment; SettingsError lists what is wrong with it."""
    return Settings.read(os.environ)


@cache
def stores() -> Stores:
    """The stack's tables."""
    from plumbline.adapters.stores import open_stores

    return open_stores(settings().tables, settings().source)


@cache
def exchange() -> Exchange:
    """The exchange; imports ccxt."""
    from plumbline.adapters.exchange import open_exchange

    return open_exchange(settings().exchange, settings().exchange_url)


@cache
def schedules() -> Schedules:
    """The rules of the outcome checks."""
    from plumbline.adapters.schedules import EventBridgeSchedules

    return EventBridgeSchedules(settings().check_rules)


def now() -> int:
    """The present (ms). On a stack of our own market, which may be replayed, it is as late as its collected minutes."""
    if settings().exchange in OWN_MARKETS:
        minutes = stores().cursors.read(collecting(Timeframe.M1))
        if minutes:
            return minutes.position
    return wall_clock()


def enough_time(context: object) -> EnoughTime:
    """Whether Lambda leaves time for another slice; always, where there is no Lambda context."""
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    return lambda: remaining is None or remaining() > _RESERVE_MS
