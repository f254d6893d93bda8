"""The ports' stores over DynamoDB."""

from plumbline.adapters.stores.candles import DynamoCandles
from plumbline.adapters.stores.catalogue import DynamoChannels, DynamoMarkets, DynamoStrategies
from plumbline.adapters.stores.connections import DynamoConnections
from plumbline.adapters.stores.cursors import DynamoCursors
from plumbline.adapters.stores.digests import DynamoDigests
from plumbline.adapters.stores.feed import DynamoFeed
from plumbline.adapters.stores.model_reports import DynamoModelReports
from plumbline.adapters.stores.outcomes import DynamoOutcomes
from plumbline.adapters.stores.positions import DynamoPositions
from plumbline.adapters.stores.rollups import DynamoBookRollups, DynamoRollups
from plumbline.adapters.stores.signals import DynamoSignals
from plumbline.adapters.stores.trades import DynamoTrades
from plumbline.adapters.tables import Tables, open_tables
from plumbline.ports import Stores


def open_stores(prefix: str, source: str, *, region: str | None = None, host: str | None = None) -> Stores:
    """Every store of one stack (its tables' names begin with `prefix`), holding the record of one data source.

    Connects at the first use. Region and address come from the AWS_* environment unless they are given.
    """
    return stores_over(open_tables(prefix, region=region, host=host), source)


def stores_over(tables: Tables, source: str) -> Stores:
    """The same, over tables that are already open."""
    return Stores(
        source=source,
        candles=DynamoCandles(tables.candles, source),
        signals=DynamoSignals(tables.signals, tables.signal_days, tables.signal_claims, source),
        outcomes=DynamoOutcomes(tables.outcomes, source),
        cursors=DynamoCursors(tables.cursors, source),
        strategies=DynamoStrategies(tables.snapshots, tables.activations),
        channels=DynamoChannels(tables.channels),
        markets=DynamoMarkets(tables.universes, tables.followed, source),
        rollups=DynamoRollups(tables.rollups, source),
        model_reports=DynamoModelReports(tables.rollups, source),
        positions=DynamoPositions(tables.positions, tables.boards, source),
        trades=DynamoTrades(tables.trades, tables.closed_trades, tables.closed_days, source),
        book_rollups=DynamoBookRollups(tables.rollups, source),
        digests=DynamoDigests(tables.rollups, source),
        feed=DynamoFeed(tables.feed_entries, tables.feed_marks, tables.feed_heads, source),
        connections=DynamoConnections(tables.connections, source),
    )
