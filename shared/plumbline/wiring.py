"""Builds the adapters once per container; heavy imports wait inside until a function asks for what they bring."""

import logging
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from plumbline.domain.calendar import Timeframe
from plumbline.domain.errors import ModelRefused, SettingsError
from plumbline.domain.feed import Change
from plumbline.events import wall_clock
from plumbline.pipeline.delivering import Each
from plumbline.pipeline.progress import EnoughTime, collecting, event_time
from plumbline.pipeline.ruling import NO_MODELS, Models
from plumbline.pipeline.telling import Decode
from plumbline.pipeline.timing import Stopwatch
from plumbline.ports import DeadLetters, Exchange, Mail, Schedules, Sockets, Stores
from plumbline.settings import NO_MODEL, OWN_MARKETS, Settings

if TYPE_CHECKING:  # its module brings the indicators' library, which most functions do without
    from plumbline.domain.policy import Policy
    from plumbline.domain.win import WinModel

logger = logging.getLogger(__name__)
_SETTLING_MS = 2_000
_RESERVE_MS = 15_000
"""No new slice of work is begun with less than this left of a function's time."""


@dataclass(frozen=True, slots=True)
class FeedWires:
    """What the live feed's functions work with, beside the stores. `now` is the time that its messages bear (ms)."""

    sockets: Sockets
    letters: DeadLetters
    decode: Decode
    now: Callable[[], int]
    each: Each = map


def no_feed() -> FeedWires:
    """Of an app that has no live feed."""
    raise SettingsError("this app was built without a live feed: give it `feed`")


@dataclass(frozen=True, slots=True)
class App:
    """What a handler works with. Tests hand one over whose parts are fakes."""

    settings: Settings
    stores: Stores
    exchange: Callable[[], Exchange]
    models: Models = NO_MODELS
    clock: Callable[[int], int] = event_time
    settle: Callable[[int], None] = lambda _: None
    stopwatch: Stopwatch = time.perf_counter
    feed: Callable[[], FeedWires] = no_feed
    mail: Callable[[], Mail | None] = lambda: None


@cache
def app() -> App:
    """This container's services."""
    return App(settings(), stores(), exchange, Models(policy, win), clock, let_the_minute_settle, feed=feed, mail=mail)


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
def policy() -> "Policy | None":
    """The model of this market; None, PLACEHOLDER mode, where there is no file. Imports onnxruntime."""
    return policy_for(settings())


@cache
def win() -> "WinModel | None":
    """The model of the win probability, if there is one for this kind of market. Imports onnxruntime."""
    return win_for(settings())


def policy_for(settings: Settings) -> "Policy | None":
    """The policy that these settings mean; ModelRefused for one of the other kind of market: simulated is not live."""
    path = model_file(settings)
    if path is None:
        return None
    from plumbline.adapters.model import open_policy

    found = open_policy(path)
    if not _is_of(found.facts.market, settings):
        raise ModelRefused(f"{path.name} was trained on a {found.facts.market} market, this one is {settings.exchange}")
    return found


def win_for(settings: Settings) -> "WinModel | None":
    """The shipped model of the win probability where it is of this kind of market.

    One that is refused is left out with an error in the log: it must not silence the signals beside which it speaks.
    """
    path = None if settings.model == NO_MODEL else _shipped("win.onnx")
    if path is None:
        return None
    from plumbline.adapters.win import open_win

    try:
        model = open_win(path)
    except ModelRefused as refused:
        logger.error("the win probability is left out: %s", refused)  # noqa: TRY400  the message says it all
        return None
    return model if _is_of(model.facts.market, settings) else None


def _is_of(market: str, settings: Settings) -> bool:
    return (market == "simulated") == (settings.exchange == "simulated")


def model_file(settings: Settings) -> Path | None:
    """The file named in the settings, or the one shipped for this market."""
    if settings.model == NO_MODEL:
        return None
    if settings.model:
        if not Path(settings.model).is_file():
            raise SettingsError(f"PLUMBLINE_MODEL={settings.model!r} is no file; for none at all write {NO_MODEL}")
        return Path(settings.model)
    return _shipped("policy-simulated.onnx" if settings.exchange == "simulated" else "policy.onnx")


def _shipped(name: str) -> Path | None:
    """A file of the model layer, whose folder is on Python's path wherever it is mounted."""
    places = (Path(entry, "policies", name) for entry in sys.path)
    return next((place for place in places if place.is_file()), None)


@cache
def schedules() -> Schedules:
    """The rules of the outcome checks."""
    from plumbline.adapters.schedules import EventBridgeSchedules

    return EventBridgeSchedules(settings().check_rules)


@cache
def mail() -> Mail | None:
    """The way to those who are told of every period; None where nobody is."""
    known = settings()
    if not known.summary_email_to:
        return None
    from plumbline.adapters.mail import SesMail

    return SesMail(known.summary_email_from, known.summary_email_to)


@cache
def feed() -> FeedWires:
    """The live feed's wires; SettingsError where the address of the WebSocket API is not set."""
    from concurrent.futures import ThreadPoolExecutor

    from plumbline.adapters.letters import QueuedLetters
    from plumbline.adapters.sockets import FAN_OUT, GatewaySockets

    known = settings()
    if not known.sockets_endpoint:
        raise SettingsError("PLUMBLINE_SOCKETS_ENDPOINT is missing: the live feed sends its messages there")
    pool = ThreadPoolExecutor(FAN_OUT, thread_name_prefix="feed")
    return FeedWires(GatewaySockets(known.sockets_endpoint), QueuedLetters(known.dead_letters), decode, now, pool.map)


def decode(record: Mapping[str, Any]) -> Change | None:
    """A record of the tables' streams."""
    from plumbline.adapters.stores.changes import decode_change

    stored = decode_change(record, settings().source)
    return None if stored is None else Change(stored, replaced=record["eventName"] == "MODIFY")


def now() -> int:
    """The present (ms). On a market of our own, which may be replayed, it is as late as the collected minutes."""
    if settings().exchange in OWN_MARKETS:
        minutes = stores().cursors.read(collecting(Timeframe.M1))
        if minutes:
            return minutes.position
    return wall_clock()


def clock(now: int) -> int:
    """When work asked for at `now` is really done: an event may come hours late, only a replay is in its own time."""
    return now if settings().exchange in OWN_MARKETS else max(now, wall_clock())


def let_the_minute_settle(now: int) -> None:
    """A live exchange shows a candle a moment after its close: asked sooner, it would only come in late."""
    if settings().exchange not in OWN_MARKETS:
        time.sleep(max(0.0, min(_SETTLING_MS, now + _SETTLING_MS - wall_clock()) / 1000))


def enough_time(context: object) -> EnoughTime:
    """Whether Lambda leaves time for another slice; always, where there is no Lambda context."""
    remaining: Callable[[], int] | None = getattr(context, "get_remaining_time_in_millis", None)
    return lambda: remaining is None or remaining() > _RESERVE_MS
