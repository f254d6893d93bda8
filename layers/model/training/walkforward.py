"""The judgement of one data set: every model on the same folds, pooled, beside the rules that need no model."""

from collections.abc import Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from layers.model.training import scores
from layers.model.training.examples import BUY, SELL, Examples
from layers.model.training.folds import Fold, everything, walk_forward
from layers.model.training.history import TIMEFRAME
from layers.model.training.trainer import Trainer
from plumbline.domain.brackets import HORIZON
from plumbline.domain.calendar import iso
from plumbline.domain.candles import Floats, Ints
from plumbline.domain.policy import ACTIONS, FEATURES, WINDOW

type Figures = dict[str, object]

PURGE = (HORIZON + WINDOW) * TIMEFRAME.ms
"""A label looks `HORIZON` candles ahead, a window `WINDOW` back: no label of a part reaches a window of the next.

Slower averages among a window's features run back across the border, as they do live."""

SEED = 1
OTHER_SEEDS = (2, 3)
MODELS = {
    "action_probs": "PPO-LSTM, head refitted to frequencies, temperature (served)",
    "policy_probs": "PPO-LSTM, its own probabilities",
    "supervised": "LSTM without PPO (the warm start), temperature",
    "logistic": "logistic regression on the last candle, temperature",
}
SERVED = "action_probs"


@dataclass(frozen=True, slots=True)
class Judged:
    """Figures of one data set: of each fold, of each model pooled over them, of the rules, of other seeds."""

    folds: list[Figures]
    models: dict[str, Figures]
    rules: dict[str, Figures]
    reliability: list[tuple[int, float, float]]
    seeds: list[Figures]

    @property
    def served(self) -> Figures:
        """The model that a policy's file holds."""
        return self.models[SERVED]


@dataclass(frozen=True, slots=True)
class Course:
    """A data set under way: its examples, their file, its folds."""

    name: str
    examples: Examples
    file: Path
    folds: list[Fold]

    @classmethod
    def of(cls, name: str, examples: Examples, folder: Path) -> "Course":
        """Write the examples for the training environment and cut them into folds."""
        file, folds = folder / f"{name}.examples.npz", walk_forward(examples.time, PURGE)
        examples.save(file)
        return cls(name, examples, file, folds)

    @property
    def last(self) -> Fold:
        """The fold of the policy that is shipped."""
        return everything(self.examples.time, PURGE)

    def run(self, trainer: Trainer, pool: Executor, other_seeds: Sequence[int] = ()) -> Judged:
        """Fit every fold, and the last one with other seeds too, and judge what they say of the test parts."""
        waiting = [
            pool.submit(trainer.fit, f"{self.name}-{k}", self.file, fold, SEED) for k, fold in enumerate(self.folds)
        ]
        others = [
            pool.submit(trainer.fit, f"{self.name}-seed-{seed}", self.file, self.folds[-1], seed)
            for seed in other_seeds
        ]
        answers = [_answers(one.result()) for one in waiting]
        again = [answers[-1], *(_answers(one.result()) for one in others)] if others else []
        return self.judge(answers, dict(zip((SEED, *other_seeds), again, strict=False)))

    def judge(self, answers: Sequence[Mapping[str, Floats]], again: Mapping[int, Mapping[str, Floats]]) -> Judged:
        """Figures of the answers to each fold's test part, and of other seeds' answers to the last one's."""
        test = np.concatenate([fold.test for fold in self.folds])
        trades = trades_of(self.examples, test)
        priors = [self._prior(fold) for fold in self.folds]
        prior = np.concatenate(priors)
        pooled = {name: np.concatenate([one[name] for one in answers]) for name in MODELS}
        models = {name: scores.of_probabilities(given, prior, trades, TIMEFRAME.ms) for name, given in pooled.items()}
        models["prior"] = scores.of_probabilities(prior, prior, trades, TIMEFRAME.ms)
        return Judged(
            folds=[
                self._fold(fold, one, before) for fold, one, before in zip(self.folds, answers, priors, strict=True)
            ],
            models=models,
            rules={name: scores.of_trades(a, trades, TIMEFRAME.ms) for name, a in self._rules(test).items()},
            reliability=[(n, round(a, 4), round(b, 4)) for n, a, b in scores.reliability(pooled[SERVED], trades.label)],
            seeds=[self._seed(seed, one, again[SEED][SERVED]) for seed, one in again.items()],
        )

    def span(self, some: Ints) -> list[str]:
        """First and last close of these examples."""
        return [iso(int(self.examples.time[some[0]])), iso(int(self.examples.time[some[-1]]))]

    def frequencies(self, some: Ints) -> Floats:
        """Share of each action among the labels: (3,)."""
        shares: Floats = np.bincount(self.examples.label[some], minlength=len(ACTIONS)) / len(some)
        return shares

    def _prior(self, fold: Fold) -> Floats:
        return np.tile(self.frequencies(fold.train), (len(fold.test), 1))

    def _fold(self, fold: Fold, answers: Mapping[str, Floats], prior: Floats) -> Figures:
        figures = scores.of_probabilities(answers[SERVED], prior, trades_of(self.examples, fold.test), TIMEFRAME.ms)
        spans = {"train": fold.train, "val": fold.val, "cal": fold.cal, "test": fold.test}
        temperature = round(float(answers["temperature"]), 4)
        labels = self.examples.label[fold.test]
        baselines = {MODELS[name]: answers[name] for name in MODELS if name != SERVED} | {"prior": prior}
        return {
            **{name: self.span(some) for name, some in spans.items()},
            "temperature": temperature,
            **figures,
            "baselines": {
                name: round(float(scores.log_losses(given, labels).mean()), 4) for name, given in baselines.items()
            },
        }

    def _rules(self, test: Ints) -> dict[str, Ints]:
        day = self.examples.rows[self.examples.start[test] + WINDOW - 1, FEATURES.index("return_24")]
        return {
            "random side": np.random.default_rng(SEED).choice((BUY, SELL), len(test)),
            "always long": np.full(len(test), BUY),
            "always short": np.full(len(test), SELL),
            "momentum: the side of the last day's return": np.where(day > 0, BUY, SELL),
        }

    def _seed(self, seed: int, answers: Mapping[str, Floats], first: Floats) -> Figures:
        trades = trades_of(self.examples, self.folds[-1].test)
        given, prior = answers[SERVED], self._prior(self.folds[-1])
        figures = scores.of_probabilities(given, prior, trades, TIMEFRAME.ms)
        own = scores.of_trades(scores.chosen(answers["policy_probs"]), trades, TIMEFRAME.ms)
        kept = ("log_loss", "log_loss_gain", "n", "hits", "expectancy_r")
        agreement = round(float((given.argmax(axis=1) == first.argmax(axis=1)).mean()), 4)
        return {
            "seed": seed,
            **{name: figures[name] for name in kept},
            "agrees_with_first": agreement,
            **{f"own_{name}": own[name] for name in ("n", "expectancy_r")},
        }


def trades_of(examples: Examples, some: Ints) -> scores.Trades:
    """What the trades of these examples would do."""
    e = examples
    return scores.Trades(e.time[some], e.market[some], e.label[some], e.net()[some], e.held[some])


def _answers(result: Path) -> dict[str, NDArray[np.float64]]:
    with np.load(result) as data:
        return {name: data[name] for name in (*MODELS, "temperature")}
