"""`python -m layers.model.training --data FOLDER --python TRAINING_ENVIRONMENT`: judge the method, ship the policies.

Three markets are judged: the simulated one, where there is something to find; the same with its direction drawn by
lot, where there is nothing; and the recorded candles of the folder. Files are replaced only where every gate holds.
"""

import argparse
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path

import numpy as np

from layers.model.training import card, checks, history, page
from layers.model.training.checks import Gate, Shipped
from layers.model.training.examples import Examples
from layers.model.training.history import TIMEFRAME
from layers.model.training.scores import of_probabilities
from layers.model.training.trainer import ROOT, Trainer, TrainingFailed
from layers.model.training.walkforward import OTHER_SEEDS, SEED, Course, Figures, Judged, trades_of
from plumbline.domain.calendar import day_start
from plumbline.domain.errors import InvalidInput

POLICIES = ROOT / "layers" / "model" / "policies"
FILES = {"recorded": "policy.onnx", "simulated": "policy-simulated.onnx"}
PAGE = ROOT / "docs" / "model.md"
STEPS = 65_536
ROUNDS = 24
"""Most rounds of the warm start."""

GOLDEN = 4

SIMULATED = 101
"""Seed of the simulated market to learn from. The demo and the tests see 7 and 8, and so never what was learned."""

LOTS = 102
FRESH = 103
"""Seed of a market that nothing was learned from: the shipped simulated policy is tried on it."""

SOURCE = "hourly spot candles of Binance, in a folder given by the user"
SIMULATED_SOURCE = f"the simulated market, seed {SIMULATED}"

_FOLDER = "folder of <BASE>-USDT_1h.csv.gz, or spot__<BASE>USDT__1h__<source>.csv.gz, several sources merged by time"
_YEARS = day_start("2021-01-01"), day_start("2023-01-01")
_FRESH = day_start("2021-01-01"), day_start("2021-07-01")


def main() -> int:
    """Everything of `make model`; 1 where a gate does not hold or the training fails."""
    options = _options()
    with tempfile.TemporaryDirectory(prefix="plumbline-model-") as folder:
        trainer = Trainer(options.python.absolute(), Path(options.keep or folder), options.steps, ROUNDS)
        trainer.folder.mkdir(parents=True, exist_ok=True)
        try:
            sources = {"recorded": options.source, "simulated": SIMULATED_SOURCE}
            return _release(trainer, options.data, sources, options.processes)
        except (TrainingFailed, InvalidInput) as exc:
            return _say(f"{exc}", 1)


def _release(trainer: Trainer, data: Path, sources: Mapping[str, str], processes: int) -> int:
    course = {name: Course.of(name, Examples.of(h), trainer.folder) for name, h in _histories(data).items()}
    with ThreadPoolExecutor(processes) as pool, ThreadPoolExecutor(len(course)) as courses:
        fits = {name: pool.submit(_last, trainer, course[name]) for name in FILES}
        runs = {name: courses.submit(_judge, one, trainer, pool) for name, one in course.items()}
        judged = {name: run.result() for name, run in runs.items()}
        results = {name: fit.result() for name, fit in fits.items()}
    controls = checks.of_controls(judged["simulated"], judged["directionless"])
    cards, gates = {}, []
    for market in FILES:
        cards[market], found = _ship(trainer, course[market], judged, results[market], controls, sources[market])
        gates += found
    return publish(trainer.folder, cards, gates)


def publish(
    made: Path, cards: Mapping[str, Figures], gates: Sequence[Gate], policies: Path = POLICIES, text: Path = PAGE
) -> int:
    """Replace the policies and the page that tells of them by what was `made`; both stay, and 1, if a gate failed."""
    failed = [gate for gate in gates if not gate.passed]
    for gate in gates:
        _say(f"{'ok    ' if gate.passed else 'FAILED'} {gate.name}: {gate.measured:.6g} (asked: {gate.asked})")
    if failed:
        return _say(f"{len(failed)} gates failed; the policies and their page stay as they were", 1)
    for file in FILES.values():
        shutil.copyfile(made / file, policies / file)
    text.write_text(page.write(cards), encoding="utf-8")
    return _say(f"written: {', '.join(FILES.values())} and {text.name}", 0)


def _histories(data: Path) -> dict[str, history.History]:
    simulated = history.simulated(SIMULATED, *_YEARS)
    return {
        "recorded": history.recorded(data),
        "simulated": simulated,
        "directionless": history.without_direction(simulated, LOTS),
    }


def _judge(course: Course, trainer: Trainer, pool: Executor) -> Judged:
    judged = course.run(trainer, pool, OTHER_SEEDS if course.name in FILES else ())
    _say(f"{course.name}: judged on {judged.served['examples']} examples")
    return judged


def _last(trainer: Trainer, course: Course) -> Path:
    return trainer.fit(f"{course.name}-last", course.file, course.last, SEED)


def _ship(
    trainer: Trainer, course: Course, judged: dict[str, Judged], result: Path, controls: Sequence[Gate], source: str
) -> tuple[Figures, list[Gate]]:
    """Write a market's file twice: to be tried, and with what the trial showed."""
    market, file = course.name, trainer.folder / FILES[course.name]
    shown = np.linspace(0, len(course.examples) - 1, GOLDEN).astype(np.int64)
    golden = course.examples.windows(shown)
    with np.load(result) as data:
        temperature = float(data["temperature"])
    trainer.export(result, golden, {}, file)
    gates = [*controls, *checks.of_market(judged[market]), *checks.of_file(Shipped(file))]
    others = {name: one.served for name, one in judged.items() if name in ("simulated", "directionless")}
    figures = card.of(course, judged[market], others, gates, trainer.steps, source)
    if market == "simulated":
        figures["fresh_market"] = _on_a_fresh_market(Shipped(file), course)
    trainer.export(result, golden, card.metadata(course, shown, temperature, figures), file)
    return figures, gates


def _on_a_fresh_market(shipped: Shipped, course: Course) -> Figures:
    examples = Examples.of(history.simulated(FRESH, *_FRESH))
    everything = np.arange(len(examples))
    given = shipped.run(examples.windows(everything))[0].astype(np.float64)
    prior = np.tile(course.frequencies(course.last.train), (len(everything), 1))
    return of_probabilities(given, prior, trades_of(examples, everything), TIMEFRAME.ms)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m layers.model.training", description=__doc__)
    parser.add_argument("--data", type=Path, required=True, help=_FOLDER)
    parser.add_argument("--source", default=SOURCE, help="what the card says of the folder's candles")
    parser.add_argument("--python", type=Path, default=ROOT / ".venv-train" / "bin" / "python")
    parser.add_argument("--steps", type=int, default=STEPS, help="of PPO in each fit")
    parser.add_argument("--processes", type=int, default=2, help="fits at the same time, one thread each")
    parser.add_argument("--keep", type=Path, help="folder to keep examples, weights and files in")
    return parser.parse_args()


def _say(text: str, code: int = 0) -> int:
    sys.stderr.write(f"{text}\n")
    return code


if __name__ == "__main__":
    sys.exit(main())
