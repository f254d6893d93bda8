"""`python -m layers.model.training.record --data FOLDER`: what every scanner found, alone, and what became of it.

The decisions are the service's own, on its own windows, all markets together; the judgement stands beside entries drawn
at random, which have the same markets, sides and exits. It fits nothing.
"""

import argparse
import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from layers.model.training import history as candles_of
from layers.model.training import record_page
from layers.model.training.history import TIMEFRAME, History
from layers.model.training.record_scores import Figures, Ground, Taken, held, measure
from layers.model.training.trainer import ROOT
from plumbline.adapters.model import OnnxPolicy, open_policy
from plumbline.domain.calendar import day_start, iso, parse_instant, to_ms
from plumbline.domain.decisions import decide_all
from plumbline.domain.errors import InvalidInput
from plumbline.domain.policy import Policy
from plumbline.domain.scanners import STRATEGY_TYPES
from plumbline.domain.scanners.mss import LEAST
from plumbline.domain.signals import Provenance, Signal
from plumbline.domain.strategies import DEFAULT_CHANNELS, Channel, Configuration, default_configuration
from plumbline.domain.windows import blocks, window_start
from plumbline.pipeline.generating import to_signal
from plumbline.pipeline.ruling import Ruling

POLICIES = ROOT / "layers" / "model" / "policies"
PAGE = ROOT / "docs" / "scanners.md"
FRESH, LOTS = 104, 105
"""Seeds of a simulated market that no policy, demo or test has seen, and of the lots that take its direction away."""

_SIMULATED = day_start("2021-01-01"), day_start("2022-01-01")
_WHOLE = 0.9
"""Share of a month's candles from which a market counts as there."""

type Subjects = Mapping[str, tuple[Channel, Configuration]]


def subjects() -> Subjects:
    """Every scanner alone, `technical` once for each strategy type that has rules, then the default channels."""
    channel = DEFAULT_CHANNELS[0]
    kinds = [kind for kind in STRATEGY_TYPES if kind != "model"]
    alone = {f"technical, {kind}": _alone("technical", kind, channel) for kind in kinds}
    alone |= {name: _alone(name, "momentum", channel) for name in ("smart_money", "mss", "model")}
    mixed = {c.channel_id: (c, default_configuration(c)) for c in DEFAULT_CHANNELS if c.strategy_type != "model"}
    return {**alone, **mixed}


def signals_of(
    history: History,
    channel: Channel,
    configuration: Configuration,
    span: tuple[int, int],
    policy: Policy | None = None,
) -> list[Signal]:
    """Signals of the candles that close in the span [first, last] (ms), as the live service would have made them.

    Nothing where the configuration is the model's and there is no policy: its placeholders are never recorded.
    """
    ruling = Ruling.of(configuration, TIMEFRAME, lambda: policy)
    found: list[Signal] = []
    if ruling.placeholder:
        return found
    for first, last in blocks(TIMEFRAME, -(-span[0] // TIMEFRAME.ms) * TIMEFRAME.ms, span[1]):
        start = window_start(TIMEFRAME, first - TIMEFRAME.ms)
        windows = {s: w for s, c in history.items() if len(w := c.between(start, last))}
        symbols = list(windows)
        for market, decision in decide_all(ruling.configuration, [*windows.values()], first, last, ruling.policy):
            close = decision.candle_close or 0
            found.append(to_signal(decision, channel, ruling, symbols[market], Provenance(), close))
    return found


def held_out(history: History, learned_until: int) -> tuple[int, int]:
    """First and last close of the months that begin after `learned_until` (ms), from the first with enough markets.

    InvalidInput where no later month has the markets that a rank needs.
    """
    ends = max(int(c.open_time[-1]) + TIMEFRAME.ms for c in history.values() if len(c))
    month = _next_month(learned_until)
    while month < ends:
        following = _next_month(month)
        candles = [len(c.between(month, following)) * TIMEFRAME.ms / (following - month) for c in history.values()]
        if sum(share >= _WHOLE for share in candles) >= LEAST:
            return month + TIMEFRAME.ms, ends
        month = following
    raise InvalidInput(f"no month after {iso(learned_until)} has candles of {LEAST} markets")


def quarter_of(instant: int) -> str:
    """`2024 Q1`."""
    moment = datetime.fromtimestamp(instant / 1_000, UTC)
    return f"{moment.year} Q{(moment.month + 2) // 3}"


def report(history: History, span: tuple[int, int], policy: Policy | None) -> Figures:
    """Figures of every subject on these candles, by side and quarter, and of holding the same markets."""
    ground = Ground.of(history, span)
    rows = {}
    for name, (channel, configuration) in subjects().items():
        taken = Taken.of(signals_of(history, channel, configuration, span, policy), ground)
        # A candle that closes at midnight belongs to the quarter that ends there.
        quarters = np.array([quarter_of(time - 1) for time in taken.time.tolist()], dtype=str)
        parts = {"long": taken.side == 0, "short": taken.side == 1}
        parts |= {quarter: quarters == quarter for quarter in sorted(set(quarters.tolist()))}
        split = {part: measure(taken.part(some), ground) for part, some in parts.items()}
        rows[name] = {**measure(taken, ground), "parts": split}
    present = {s: len(c.between(*span)) for s, c in history.items() if len(c.between(*span))}
    return {"span": span, "markets": present, "rows": rows, "held": held(ground)}


def main() -> int:
    """Everything of `make scanners`; 1 where the folder cannot be read."""
    parser = argparse.ArgumentParser(prog="python -m layers.model.training.record", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help="folder of <BASE>-USDT_1h.csv.gz")
    try:
        text = _page(parser.parse_args().data)
    except InvalidInput as exc:
        sys.stderr.write(f"{exc}\n")
        return 1
    record_page.rewrite(PAGE, "scanners", text)
    sys.stderr.write(f"written: {PAGE.relative_to(ROOT)}\n")
    return 0


def _page(data: Path) -> str:
    recorded, simulated = open_policy(POLICIES / "policy.onnx"), open_policy(POLICIES / "policy-simulated.onnx")
    candles = candles_of.recorded(data)
    fresh = candles_of.simulated(FRESH, *_SIMULATED)
    reports = {
        "recorded": report(candles, held_out(candles, _learned_until(recorded)), recorded),
        "simulated": report(fresh, _SIMULATED, simulated),
        "directionless": report(candles_of.without_direction(fresh, LOTS), _SIMULATED, simulated),
    }
    return record_page.write(reports, recorded.facts.card)


def _learned_until(policy: OnnxPolicy) -> int:
    return parse_instant(str(policy.facts.card["trained_on"]["train"][1]))


def _alone(scanner: str, kind: str, channel: Channel) -> tuple[Channel, Configuration]:
    channel = replace(channel, strategy_type=kind)
    plain = default_configuration(channel)
    least = 1 if scanner == "model" else plain.min_indicators_required
    return channel, replace(plain, scanner_weights={scanner: 1.0}, min_indicators_required=least)


def _next_month(instant: int) -> int:
    moment = datetime.fromtimestamp(instant / 1_000, UTC)
    return to_ms(datetime(moment.year + moment.month // 12, moment.month % 12 + 1, 1, tzinfo=UTC))


if __name__ == "__main__":
    sys.exit(main())
