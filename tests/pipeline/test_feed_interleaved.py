"""Nothing is lost and nothing out of order, whoever tells whom at the same time, dies in between or hangs up.

Every example is one order in which functions, gateway and clients take their turns; Hypothesis looks for the worst.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from plumbline.domain.calendar import MINUTE
from plumbline.domain.errors import Unavailable
from plumbline.domain.feed import Change, Subscription
from plumbline.domain.trades import Board
from plumbline.pipeline.listening import connect, disconnect, hear
from plumbline.pipeline.telling import tell
from plumbline.ports import Sockets, Stores
from tests.builders import NOON, a_signal
from tests.fakes import Crash, memory_stores
from tests.feed_fakes import FakeSockets
from tests.turns import Turns

SYMBOLS = ("ADA/USDT", "BTC/USDT", "ETH/USDT")


class Weather:
    """Ports at which now and then a function is killed, or a message cannot be sent."""

    def __init__(self, random: Random) -> None:
        self.stores = memory_stores()
        self.gateway = FakeSockets()
        self.turns = Turns(random.randrange, self._strike)
        self._random = random

    def for_one_run(self) -> tuple[Stores, Sockets]:
        """What one invocation of a function works with."""
        return self.turns.over_all(self.stores), self.turns.over(_BusyAtTimes(self.gateway, self._random))

    def _strike(self) -> None:
        if self._random.random() < 0.03:
            raise Crash("killed before a call of a port")


@dataclass
class _BusyAtTimes:
    """ports.Sockets over a gateway that is now and then busy."""

    gateway: FakeSockets
    random: Random

    def send(self, connection_id: str, text: str) -> bool:
        if self.random.random() < 0.1:
            raise Unavailable("the gateway is busy")
        return self.gateway.send(connection_id, text)

    def close(self, connection_id: str) -> None:
        self.gateway.close(connection_id)


@dataclass
class Client:
    """A client as docs/live-feed.md tells one to be written."""

    name: str
    weather: Weather
    random: Random
    connection: str = ""
    read: int = 0
    wants: tuple[str, ...] | None = None
    ref: int = 0
    since: int = 0
    last: int = 0
    kept: list[int] = field(default_factory=list)
    owed: list[int] = field(default_factory=list)

    def live(self) -> None:
        """Connect, listen, change one's mind, lose the connection, and come back with the last id."""
        for _ in range(self.random.randint(1, 3)):
            self.connect()
            for _ in range(self.random.randint(1, 3)):
                self.subscribe()
                self.receive()
                if self.random.random() < 0.5:
                    self.say(type="ping")
            self.receive()
            if self.random.random() < 0.8:
                self.hang_up()
        if self.connection in self.weather.gateway.gone:
            self.connect()
            self.subscribe()

    def connect(self) -> None:
        self.connection, self.read = f"{self.connection or self.name}+", 0
        while not self.ask(lambda stores, _: connect(stores, self.connection, NOON)):
            pass

    def subscribe(self) -> None:
        """Whoever gets no answer asks again, from the last id that has arrived by then."""
        wants = self.random.choice([None, SYMBOLS[:1], SYMBOLS[1:], SYMBOLS])
        while True:
            self.settle()
            self.wants, self.since, self.ref = wants, self.last, self.ref + 1
            symbols = None if wants is None else list(wants)
            if self.say(type="subscribe", since=self.last, symbols=symbols, ref=self.ref):
                return
            self.receive()

    def say(self, **message: Any) -> bool:
        text = json.dumps(message)
        return self.ask(lambda stores, sockets: hear(stores, sockets, self.connection, text, NOON))

    def ask(self, work: Callable[[Stores, Sockets], object]) -> bool:
        """A function that was killed answers nothing."""
        try:
            work(*self.weather.for_one_run())
        except Crash:
            return False
        return True

    def hang_up(self) -> None:
        """What was on its way is lost; the gateway may or may not say that we are gone."""
        self.weather.gateway.gone.add(self.connection)
        if self.random.random() < 0.5:
            self.ask(lambda stores, _: disconnect(stores, self.connection))

    def receive(self, *, everything: bool = False) -> None:
        """Read what has arrived, or some of it."""
        arrived = self.weather.gateway.messages(self.connection)[self.read :]
        some = arrived if everything else arrived[: self.random.randint(0, len(arrived))]
        self.read += len(some)
        for message in some:
            self.take(message)

    def take(self, message: dict[str, Any]) -> None:
        """The client's whole rule."""
        if message["type"] == "error" or message["ref"] != self.ref or message["id"] <= self.last:
            return
        self.last = message["id"]
        if message["type"] != "heartbeat":
            self.kept.append(message["id"])

    def settle(self) -> None:
        """Note what was owed, up to the last id, under the subscription that now ends."""
        wanted = None if self.wants is None else frozenset(self.wants)
        listener = Subscription(connection_id="", position=0, expires_at=0, listening=True, symbols=wanted)
        entries = self.weather.stores.feed.after(self.since, 1_000)
        self.owed += [e.number for e in entries if e.number <= self.last and listener.wants(e.event)]


def batches(random: Random) -> list[list[Change]]:
    """What the streams report: signals of some symbols, and boards."""
    changes = [Change(a_signal(timestamp=NOON + n * MINUTE, symbol=random.choice(SYMBOLS))) for n in range(12)]
    changes += [Change(Board(as_of=NOON + n, open=0, unrealised_usd=NOTHING, prices={})) for n in range(2)]
    random.shuffle(changes)
    return [changes[start : start + 3] for start in range(0, len(changes), 3)]


NOTHING = a_signal().entry_price * 0


def notifier(weather: Weather, reports: list[list[Change]]) -> Callable[[], None]:
    """A stream's function: a batch after the other, each again until it is through, as Lambda does it."""

    def work() -> None:
        for batch in reports:
            while True:
                try:
                    stores, sockets = weather.for_one_run()
                    tell(stores, sockets, batch, NOON)
                except Crash:
                    continue
                break

    return work


@settings(max_examples=150, deadline=None)
@given(st.integers(min_value=0, max_value=2**32))
def test_every_client_gets_everything_it_is_owed_once_and_in_order(seed: int) -> None:
    random = Random(seed)
    weather = Weather(random)
    clients = [Client(f"client-{n}", weather, random) for n in range(3)]
    reports = batches(random)
    tellers = [notifier(weather, reports[0::2]), notifier(weather, reports[1::2])]
    weather.turns.run([*tellers, *(client.live for client in clients)])

    tell(weather.stores, weather.gateway, [], NOON)
    numbers = [entry.number for entry in weather.stores.feed.after(0, 1_000)]
    assert numbers == list(range(1, 15))
    for client in clients:
        hear(weather.stores, weather.gateway, client.connection, '{"type": "ping"}', NOON)
        client.receive(everything=True)
        client.settle()
        boards = {e.number for e in weather.stores.feed.after(0, 1_000) if e.event.key.startswith("prices")}
        assert client.last == 14
        assert client.kept == sorted({*client.kept})
        assert [n for n in client.owed if n not in boards] == [n for n in client.kept if n not in boards]
