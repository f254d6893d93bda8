"""Cold and warm time of each built function under Lambda's runtime emulator, on real tables and a real market."""

import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from infra.local import runtime
from infra.local.exchange import ExchangeServer, SimulatedMarket
from infra.local.workspace import Workspace
from plumbline.domain.calendar import HOUR, iso
from tests.bench import cloud
from tests.world import START

COLD, WARM = 5, 15
EVENTS = Path(__file__).parents[1] / "events"
ARGUMENTS: Mapping[str, Mapping[str, str]] = {
    "collect_candles": {},
    "generate_signals": {"timeframe": "1h"},
    "track_trades": {},
    "check_outcomes": {"interval": "1h"},
    "summarise_day": {},
}


def lines() -> Iterator[str]:
    """Medians; cold counts from the start of the process to the first answer."""
    yield f"8 simulated markets; medians of {COLD} cold starts and {WARM} warm runs; a working run is an hour of market"
    yield ""
    yield "| function | cold, ms | warm with an hour of work, ms | warm with nothing to do, ms |"
    yield "|---|---|---|---|"
    with (
        cloud.endpoint() as address,
        ExchangeServer(SimulatedMarket(7), port=0) as server,
        TemporaryDirectory() as state,
    ):
        workspace = replace(Workspace.of(os.environ), state=Path(state))
        environment = {
            "AWS_ENDPOINT_URL": address,
            "PLUMBLINE_TABLES": cloud.PREFIX,
            "PLUMBLINE_STAGE": "bench",
            "PLUMBLINE_EXCHANGE": "simulated",
            "PLUMBLINE_EXCHANGE_URL": server.url,
        }
        server.set_clock(START + 100 * HOUR)
        hour = START
        for name, arguments in ARGUMENTS.items():
            yield _scheduled(workspace, environment, name, arguments, hour)
        yield _api(workspace, environment)


def _scheduled(
    workspace: Workspace, environment: Mapping[str, str], name: str, arguments: Mapping[str, str], start: int
) -> str:
    function = runtime.artefact(workspace, name)
    cold = []
    for _ in range(COLD):
        with runtime.emulator(workspace, function, environment) as emulator:
            cold.append(_time(emulator, {**arguments, "time": iso(start)}))
    with runtime.emulator(workspace, function, environment) as emulator:
        emulator.invoke({**arguments, "time": iso(start)})
        work = [_time(emulator, {**arguments, "time": iso(start + n * HOUR)}) for n in range(1, WARM + 1)]
        idle = [_time(emulator, {**arguments, "time": iso(start + WARM * HOUR)}) for _ in range(WARM)]
    return f"| {name} | {median(cold):.0f} | {median(work):.0f} | {median(idle):.0f} |"


def _api(workspace: Workspace, environment: Mapping[str, str]) -> str:
    function = runtime.artefact(workspace, "api")
    event = json.loads((EVENTS / "api_stats.json").read_text())
    cold = []
    for _ in range(COLD):
        with runtime.emulator(workspace, function, environment) as emulator:
            cold.append(_time(emulator, event))
    with runtime.emulator(workspace, function, environment) as emulator:
        emulator.invoke(event)
        warm = [_time(emulator, event) for _ in range(WARM)]
    return f"| api, `/performance/stats` | {median(cold):.0f} | {median(warm):.0f} | |"


def _time(emulator: runtime.Emulator, event: object) -> float:
    answer = emulator.invoke(event)
    if runtime.failed(answer.payload):
        raise SystemExit(f"the function failed: {answer.payload}\n{emulator.logs()}")
    return answer.milliseconds
