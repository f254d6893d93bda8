"""What one signal costs in DynamoDB over its whole life: written once, judged five times, traded and told."""

from collections.abc import Callable, Iterator

from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Interval
from plumbline.domain.feed import Change
from plumbline.domain.strategies import DEFAULT_CHANNELS, Activation, Configuration
from plumbline.pipeline.progress import TRACK
from plumbline.pipeline.telling import tell
from plumbline.ports import Stores
from tests.bench import cloud
from tests.bench.reads import ReadMeter
from tests.capacity import WRITES, CapacityMeter
from tests.feed_fakes import FakeSockets
from tests.world import SCHEDULE, START, an_exchange, check, collect, generate, run, track

DAYS = 32
"""Long enough for every signal of the first day to have all five outcomes."""


def lines() -> Iterator[str]:
    """Write and read units of one signal, and of a run that finds nothing to do."""
    with cloud.tables() as tables:
        yield from _life(tables)
        yield from _trades(tables)
        yield from _feed(tables)
        yield from _idle(tables)


def _life(tables: Tables) -> Iterator[str]:
    stores, exchange = stores_over(tables, "simulated"), an_exchange(DAYS)
    _make_eager(stores)
    run(stores, exchange, [START])
    run(stores, exchange, [START + DAY], [collect])
    costs = [_cost(tables, "signals", lambda: generate(stores, exchange, START + DAY))]
    signals = len(list(stores.signals.between(START, START + DAY)))
    run(stores, exchange, [START + DAYS * DAY], [collect])
    _jump(stores, "generate#1h", START + DAYS * DAY)
    for interval in Interval:
        _jump(stores, f"check#{interval}", START + interval.ms)
        until = START + DAY + interval.ms
        costs.append(_cost(tables, "outcomes", lambda i=interval, t=until: check(i)(stores, exchange, t)))  # type: ignore[misc]  # bound per turn
    yield f"{signals} signals of five markets and five channels in one day, each step one run over that day"
    yield ""
    yield "| step | write units a signal | read units a signal |"
    yield "|---|---|---|"
    for name, (writes, reads) in zip(
        ("generate_signals", *(f"check_outcomes {i}" for i in Interval)), costs, strict=True
    ):
        yield f"| {name} | {writes / signals:.2f} | {reads / signals:.2f} |"
    writes, reads = (sum(column) / signals for column in zip(*costs, strict=True))
    yield f"| **whole life** | **{writes:.2f}** | **{reads:.2f}** |"
    yield ""


def _trades(tables: Tables) -> Iterator[str]:
    """The paper trades of that day's signals, tracked every five minutes until the last one is closed."""
    stores, exchange = stores_over(tables, "simulated"), an_exchange(DAYS)
    _jump(stores, TRACK, START)
    # Live, a signal is written a minute after its candle's close: the tracker never stands at that very moment.
    moments = range(START + 2 * MINUTE, START + 2 * DAY + 5 * MINUTE, 5 * MINUTE)
    with CapacityMeter(tables) as writes:
        closed = sum(track(stores, exchange, now)["closed"] for now in moments)
    # Every run replaces the board, one unit, which lies beside the open trades.
    positions = _written(writes, "positions") - len(moments)
    yield "| a signal's paper trade | write units |"
    yield "|---|---|"
    yield f"| opened and forgotten | {positions / closed:.2f} |"
    yield f"| stored and listed | {_written(writes, 'trades') / closed:.2f} |"
    yield ""


def _written(meter: CapacityMeter, table: str) -> float:
    """Write units of one table."""
    return sum(
        units
        for (operation, name), units in meter.units.items()
        if operation in WRITES and name == f"{cloud.PREFIX}-{table}"
    )


def _feed(tables: Tables) -> Iterator[str]:
    stores = stores_over(tables, "simulated")
    signals = list(stores.signals.between(START, START + DAY))
    with CapacityMeter(tables) as writes, ReadMeter(tables) as reads:
        told = tell(stores, FakeSockets(), map(Change, signals), START + DAY)["events"]
    yield "| an event of the live feed | write units | read units |"
    yield "|---|---|---|"
    yield f"| told to nobody | {writes.write_units / told:.2f} | {reads.total / told:.2f} |"
    yield ""


def _make_eager(stores: Stores) -> None:
    """Let the channels signal often: what one signal costs is seen best among many."""
    for channel in DEFAULT_CHANNELS:
        eager = Configuration(
            strategy=channel.channel_id,
            strategy_type=channel.strategy_type,
            score_buy_target=35,
            score_sell_target=35,
            cooldown_bars=0,
        )
        stores.strategies.save(eager)
        stores.strategies.activate(
            Activation(strategy=channel.channel_id, config_hash=eager.config_hash, active_from=0)
        )


def _jump(stores: Stores, name: str, position: int) -> None:
    stores.cursors.move(stores.cursors.read(name), name, position, {"reached": position})


def _cost(tables: Tables, written: str, work: Callable[[], object]) -> tuple[float, float]:
    """Write units of one table and read units of all, of some work."""
    with CapacityMeter(tables) as writes, ReadMeter(tables) as reads:
        work()
    return writes.units["PutItem", f"{cloud.PREFIX}-{written}"], reads.total


def _idle(tables: Tables) -> Iterator[str]:
    stores, exchange = stores_over(tables, "simulated"), an_exchange(DAYS)
    yield "| a run with nothing to do | write units | read units |"
    yield "|---|---|---|"
    names = "generate", "track", *(f"check {i}" for i in Interval), "summarise"
    for name, call in zip(names, SCHEDULE[1:], strict=True):
        now = START + DAYS * DAY + HOUR // 60
        call(stores, exchange, now)
        with CapacityMeter(tables) as writes, ReadMeter(tables) as reads:
            call(stores, exchange, now + 1)
        yield f"| {name} | {writes.write_units:g} | {reads.total:g} |"
