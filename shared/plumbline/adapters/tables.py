"""The items of every table, as PynamoDB models. infra/tables.yaml defines the tables; docs/tables.md explains the keys.

Attribute names are short because DynamoDB counts them in every item's size. Several kinds of item may share a table.
Those of the paper book and of the live feed have modules of their own.
"""

import os
from dataclasses import dataclass

from pynamodb.attributes import BinaryAttribute, NumberAttribute, UnicodeAttribute
from pynamodb.connection import Connection
from pynamodb.indexes import GlobalSecondaryIndex, KeysOnlyProjection

from plumbline.adapters.attributes import DecimalAttribute, HashAttribute, IntegerAttribute, PackedJson
from plumbline.adapters.feed_items import ConnectionItem, FeedEntry, FeedHead, FeedMark
from plumbline.adapters.items import Item
from plumbline.adapters.paper_items import BoardItem, ClosedDay, ClosedTrade, PositionItem, TradeItem


class CandleChunk(Item):
    """A fixed stretch of one series, packed. The checksum is also the version that a writer must have read."""

    length = IntegerAttribute(attr_name="n")
    checksum = BinaryAttribute(attr_name="h", legacy_encoding=False)
    packed = BinaryAttribute(attr_name="z", legacy_encoding=False)


class BySymbol(GlobalSecondaryIndex["SignalItem"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves its hook untyped
    """A symbol's signals of one month."""

    class Meta:
        """Index name and projection."""

        index_name = "by-symbol"
        projection = KeysOnlyProjection()

    symbol_month = UnicodeAttribute(attr_name="sm", hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class ByChannel(GlobalSecondaryIndex["SignalItem"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves its hook untyped
    """A channel's signals of one month."""

    class Meta:
        """Index name and projection."""

        index_name = "by-channel"
        projection = KeysOnlyProjection()

    channel_month = UnicodeAttribute(attr_name="cm", hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class SignalItem(Item):
    """One signal. Its time lies in its id, its symbol and channel in the index keys, its tier in the score."""

    by_symbol = BySymbol()
    by_channel = ByChannel()

    symbol_month = UnicodeAttribute(attr_name="sm")
    channel_month = UnicodeAttribute(attr_name="cm")
    recorded_at = IntegerAttribute(attr_name="ra")
    origin = UnicodeAttribute(attr_name="or")
    timeframe = UnicodeAttribute(attr_name="tf")
    action = UnicodeAttribute(attr_name="ac")
    confidence = NumberAttribute(attr_name="co")
    unified_score = NumberAttribute(attr_name="us")
    scanner_type = UnicodeAttribute(attr_name="sc")
    entry_price = DecimalAttribute(attr_name="ep")
    stop_loss = DecimalAttribute(attr_name="sl", null=True)
    take_profit = DecimalAttribute(attr_name="tp", null=True)
    position_size = DecimalAttribute(attr_name="ps", null=True)
    risk_reward_ratio = DecimalAttribute(attr_name="rr", null=True)
    snapshot_id = HashAttribute(attr_name="sn")
    candles_hash = HashAttribute(attr_name="hc")
    model_hash = HashAttribute(attr_name="hm")
    details: PackedJson = PackedJson(attr_name="z")


class SignalDay(Item):
    """A day that has signals: written before the first of them, so that readers skip the days that have none."""


class SignalClaim(Item):
    """An outside name and the signal that holds it."""

    signal_id = UnicodeAttribute(attr_name="id")


class OutcomeItem(Item):
    """One outcome. Signal id, interval and due time lie in its keys, its tier in the score."""

    symbol = UnicodeAttribute(attr_name="sy")
    signal_type = UnicodeAttribute(attr_name="st")
    entry_price = DecimalAttribute(attr_name="ep")
    exit_price = DecimalAttribute(attr_name="xp", null=True)
    price_change_pct = DecimalAttribute(attr_name="ch", null=True)
    pnl_pct = DecimalAttribute(attr_name="pl", null=True)
    outcome = UnicodeAttribute(attr_name="oc")
    unified_score = NumberAttribute(attr_name="us")
    scanner_type = UnicodeAttribute(attr_name="sc")
    channel_id = UnicodeAttribute(attr_name="ci")
    snapshot_id = HashAttribute(attr_name="sn")
    origin = UnicodeAttribute(attr_name="or")
    checked_at = IntegerAttribute(attr_name="ca")


class CursorItem(Item):
    """How far one function has come."""

    position = IntegerAttribute(attr_name="p")
    version = IntegerAttribute(attr_name="v")
    notes: PackedJson = PackedJson(attr_name="z")


class SnapshotItem(Item):
    """A configuration by its content: canonical JSON, readable as it is."""

    content = UnicodeAttribute(attr_name="c")


class ActivationItem(Item):
    """From when a snapshot was its strategy's current one."""

    config_hash = HashAttribute(attr_name="h")
    activated_by = UnicodeAttribute(attr_name="by")
    notes = UnicodeAttribute(attr_name="n")


class ChannelItem(Item):
    """A published channel."""

    name = UnicodeAttribute(attr_name="na")
    strategy_type = UnicodeAttribute(attr_name="st")
    timeframe = UnicodeAttribute(attr_name="tf")
    symbols: PackedJson = PackedJson(attr_name="z")
    quote = UnicodeAttribute(attr_name="q")
    max_lag = IntegerAttribute(attr_name="ml")


class UniverseItem(Item):
    """One day's catalogue of markets."""

    catalogue: PackedJson = PackedJson(attr_name="z")


class FollowedItem(Item):
    """A symbol that is collected beside the channels' own, until then."""

    until = IntegerAttribute(attr_name="u")


class RollupItem(Item):
    """One dimension's cells of one day, and the version of the cursor they were computed from."""

    version = IntegerAttribute(attr_name="v")
    through = IntegerAttribute(attr_name="t")
    cells = BinaryAttribute(attr_name="z", legacy_encoding=False)


@dataclass(frozen=True, slots=True)
class Tables:
    """One stack's tables, over one connection."""

    connection: Connection
    candles: type[CandleChunk]
    signals: type[SignalItem]
    signal_days: type[SignalDay]
    signal_claims: type[SignalClaim]
    outcomes: type[OutcomeItem]
    cursors: type[CursorItem]
    snapshots: type[SnapshotItem]
    activations: type[ActivationItem]
    channels: type[ChannelItem]
    universes: type[UniverseItem]
    followed: type[FollowedItem]
    rollups: type[RollupItem]
    positions: type[PositionItem]
    boards: type[BoardItem]
    trades: type[TradeItem]
    closed_trades: type[ClosedTrade]
    closed_days: type[ClosedDay]
    feed_entries: type[FeedEntry]
    feed_marks: type[FeedMark]
    feed_heads: type[FeedHead]
    connections: type[ConnectionItem]


def open_tables(prefix: str, *, region: str | None = None, host: str | None = None) -> Tables:
    """Bind every model to its table of this stack. Connects at the first use, never here.

    Without `region` and `host` the AWS_* environment decides (AWS_REGION, AWS_ENDPOINT_URL_DYNAMODB, AWS_ENDPOINT_URL).
    """
    # DynamoDB answers within milliseconds: what takes seconds is lost, and trying again is safe, because every write
    # is conditional or replaces the same bytes. Four tries end well inside a function's time limit.
    connection = Connection(
        region=region or os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION"),
        host=host,
        connect_timeout_seconds=2,
        read_timeout_seconds=5,
        max_retry_attempts=3,
        max_pool_connections=10,
    )

    def bound[M: Item](model: type[M], name: str) -> type[M]:
        return model.bind(f"{prefix}-{name}", connection)

    return Tables(
        connection,
        candles=bound(CandleChunk, "candles"),
        signals=bound(SignalItem, "signals"),  # before the table's other kinds of item, because it names the indexes
        signal_days=bound(SignalDay, "signals"),
        signal_claims=bound(SignalClaim, "signals"),
        outcomes=bound(OutcomeItem, "outcomes"),
        cursors=bound(CursorItem, "cursors"),
        snapshots=bound(SnapshotItem, "strategies"),
        activations=bound(ActivationItem, "strategies"),
        channels=bound(ChannelItem, "channels"),
        universes=bound(UniverseItem, "markets"),
        followed=bound(FollowedItem, "markets"),
        rollups=bound(RollupItem, "rollups"),
        positions=bound(PositionItem, "positions"),
        boards=bound(BoardItem, "positions"),
        closed_trades=bound(ClosedTrade, "trades"),  # names the indexes, as above
        trades=bound(TradeItem, "trades"),
        closed_days=bound(ClosedDay, "trades"),
        feed_entries=bound(FeedEntry, "feed"),
        feed_marks=bound(FeedMark, "feed"),
        feed_heads=bound(FeedHead, "feed"),
        connections=bound(ConnectionItem, "connections"),
    )
