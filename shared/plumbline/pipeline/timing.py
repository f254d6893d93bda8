"""How long the generator's runs took: kept with its cursor, for the statistics of the service."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from plumbline.domain.candles import Floats
from plumbline.pipeline.ruling import Policies
from plumbline.ports import Cursor

if TYPE_CHECKING:  # its module brings the indicators' library, and every function's wiring brings this one
    from plumbline.domain.policy import ModelFacts, Policy, Windows

KEPT = 40
"""Runs remembered of a timeframe: with forty of four numbers its cursor stays under a kilobyte, one write unit."""

type Stopwatch = Callable[[], float]
"""Seconds from any fixed moment on."""


@dataclass(frozen=True, slots=True)
class Run:
    """One run: candles evaluated and how long that took, store reads included; windows the policy saw, and how long."""

    evaluated: int
    generation_ms: float
    windows: int
    inference_ms: float


@dataclass(slots=True)
class _TimedPolicy:
    """A policy that counts what it is asked."""

    policy: "Policy"
    stopwatch: Stopwatch
    windows: int = 0
    seconds: float = 0.0

    @property
    def facts(self) -> "ModelFacts":
        """Those of the policy."""
        return self.policy.facts

    def probabilities(self, windows: "Windows") -> Floats:
        """The policy's answer."""
        began = self.stopwatch()
        answer = self.policy.probabilities(windows)
        self.seconds += self.stopwatch() - began
        self.windows += len(windows)
        return answer


class Timing:
    """Measures the runs of one call."""

    def __init__(self, policies: Policies, stopwatch: Stopwatch) -> None:
        self._open = policies
        self._stopwatch = stopwatch
        self._policy: _TimedPolicy | None = None
        self._last = Run(0, 0.0, 0, 0.0)

    def policies(self) -> "Policy | None":
        """The policy, under observation."""
        if self._policy is None and (found := self._open()) is not None:
            self._policy = _TimedPolicy(found, self._stopwatch)
        return self._policy

    @contextmanager
    def run(self, count: Mapping[str, int]) -> Iterator[None]:
        """Time what is evaluated inside; `count` is the caller's, before and after."""
        before, began = count["evaluated"], self._stopwatch()
        windows, seconds = self._asked()
        yield
        now_windows, now_seconds = self._asked()
        self._last = Run(
            count["evaluated"] - before,
            1_000 * (self._stopwatch() - began),
            now_windows - windows,
            1_000 * (now_seconds - seconds),
        )

    def notes(self, cursor: Cursor | None) -> list[list[float]]:
        """What the cursor is to remember: the runs it knows and the last one, if it evaluated anything."""
        known = runs_of(cursor)
        kept = [*known, self._last][-KEPT:] if self._last.evaluated else known
        return [[r.evaluated, round(r.generation_ms, 1), r.windows, round(r.inference_ms, 2)] for r in kept]

    def _asked(self) -> tuple[int, float]:
        return (self._policy.windows, self._policy.seconds) if self._policy else (0, 0.0)


def stopped() -> float:
    """A stopwatch that stands still, for those who do not care."""
    return 0.0


def runs_of(cursor: Cursor | None) -> list[Run]:
    """The runs a generator's cursor remembers, oldest first."""
    notes = cast("Mapping[str, Any]", cursor.notes if cursor else {})
    return [Run(int(n), float(ms), int(m), float(asked)) for n, ms, m, asked in notes.get("runs", ())]
