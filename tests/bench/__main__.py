"""`make bench`: measure the hot paths and print the tables of docs/benchmarks.md. Names choose parts: `units stats`.

`feed` and `month` are run only by name: they take minutes.
"""

import sys
from collections.abc import Callable, Iterator

from tests.bench import analytics, decisions, feed, functions, imports, month, page, paper, statistics, trades, units

PARTS: dict[str, Callable[[], Iterator[str]]] = {
    "units": units.lines,
    "stats": statistics.lines,
    "analytics": analytics.lines,
    "paper": paper.lines,
    "decisions": decisions.lines,
    "trades": trades.lines,
    "imports": imports.lines,
    "functions": functions.lines,
    "page": page.lines,
    "feed": feed.lines,
    "month": month.lines,
}
BY_NAME_ONLY = {"feed", "month"}


def main(chosen: list[str]) -> None:
    """Print each part as it is measured."""
    unknown = set(chosen) - set(PARTS)
    if unknown:
        raise SystemExit(f"unknown parts {sorted(unknown)}; there are {' '.join(PARTS)}")
    for name in chosen or [name for name in PARTS if name not in BY_NAME_ONLY]:
        print(f"\n## {name}\n", flush=True)
        for line in PARTS[name]():
            print(line, flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
