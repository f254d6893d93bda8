"""Run the exchange: `python -m infra.local.exchange [--port 8100] [--data FOLDER | --seed 7] [--now TIME]`."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from infra.local.exchange import ExchangeServer, Market, RecordedMarket, SimulatedMarket
from plumbline.domain.calendar import iso, parse_instant
from plumbline.domain.errors import PlumblineError


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve until interrupted."""
    options = _options(arguments)
    try:
        market = _market(options)
        now = parse_instant(options.now) if options.now else None
        server = ExchangeServer(market, host=options.host, port=options.port, now=now)
        symbols = " ".join(pair.symbol for pair in market.pairs)
        print(f"{market.source} market at {server.url}, now {iso(server.venue.now)}: {symbols}", flush=True)
        server.serve_forever()
    except KeyboardInterrupt:
        return 0
    except (PlumblineError, OSError) as exc:
        print(exc, file=sys.stderr)
        return 1
    return 0


def _market(options: argparse.Namespace) -> Market:
    if options.data is None:
        return SimulatedMarket(options.seed)
    market = RecordedMarket(options.data)
    market.check()
    return market


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m infra.local.exchange", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=8100, help="0 takes a free one")
    parser.add_argument("--data", type=Path, help="folder of <BASE>-<QUOTE>_<timeframe>.csv.gz; else simulated")
    parser.add_argument("--seed", type=int, default=7, help="of the simulation")
    parser.add_argument("--now", default="", help="the exchange's time, ISO 8601; else it follows the wall clock")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main())
