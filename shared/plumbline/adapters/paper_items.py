"""The items of the paper book: open positions, their board, closed trades."""

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex

from plumbline.adapters.attributes import DecimalAttribute, HashAttribute, IntegerAttribute, PackedJson
from plumbline.adapters.items import Item


class PositionItem(Item):
    """One open trade. Its time lies in its signal's id, its tier in the score."""

    symbol = UnicodeAttribute(attr_name="sy")
    side = UnicodeAttribute(attr_name="sd")
    timeframe = UnicodeAttribute(attr_name="tf")
    scanner_type = UnicodeAttribute(attr_name="sc")
    channel_id = UnicodeAttribute(attr_name="ci")
    origin = UnicodeAttribute(attr_name="or")
    unified_score = NumberAttribute(attr_name="us")
    confidence = NumberAttribute(attr_name="co")
    entry_price = DecimalAttribute(attr_name="ep")
    stop_loss = DecimalAttribute(attr_name="sl", null=True)
    take_profit = DecimalAttribute(attr_name="tp", null=True)
    net_entry_price = DecimalAttribute(attr_name="ne", null=True)
    snapshot_id = HashAttribute(attr_name="sn")
    details: PackedJson = PackedJson(attr_name="z")


class BoardItem(Item):
    """The open trades at a glance, as of the last minute matched."""

    as_of = IntegerAttribute(attr_name="ao")
    open = IntegerAttribute(attr_name="n")
    unrealised_usd = DecimalAttribute(attr_name="un")
    prices: PackedJson = PackedJson(attr_name="z")


class TradeItem(PositionItem):
    """One closed trade, under its signal's id. What came of it in each book: dollars (`u`) and percent (`p`)."""

    status = UnicodeAttribute(attr_name="st")
    closed_at = IntegerAttribute(attr_name="ca")
    recorded_at = IntegerAttribute(attr_name="ra")
    exit_price = DecimalAttribute(attr_name="xp", null=True)
    ideal_usd = DecimalAttribute(attr_name="iu", null=True)
    ideal_pct = DecimalAttribute(attr_name="ip", null=True)
    net_usd = DecimalAttribute(attr_name="nu", null=True)
    net_pct = DecimalAttribute(attr_name="np", null=True)
    pessimistic_usd = DecimalAttribute(attr_name="pu", null=True)
    pessimistic_pct = DecimalAttribute(attr_name="pp", null=True)
    net_if_target_usd = DecimalAttribute(attr_name="tu", null=True)
    net_if_target_pct = DecimalAttribute(attr_name="tg", null=True)
    max_favourable_pct = DecimalAttribute(attr_name="mf", null=True)
    max_adverse_pct = DecimalAttribute(attr_name="ma", null=True)


class ClosedBySymbol(GlobalSecondaryIndex["ClosedTrade"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves its hook untyped
    """A symbol's trades that closed in one month."""

    class Meta:
        """Index name and projection."""

        index_name = "by-symbol"
        projection = AllProjection()

    symbol_month = UnicodeAttribute(attr_name="sm", hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class ClosedByChannel(GlobalSecondaryIndex["ClosedTrade"]):  # type: ignore[no-untyped-call]  # PynamoDB leaves its hook untyped
    """A channel's trades that closed in one month."""

    class Meta:
        """Index name and projection."""

        index_name = "by-channel"
        projection = AllProjection()

    channel_month = UnicodeAttribute(attr_name="cm", hash_key=True)
    sk = UnicodeAttribute(range_key=True)


class ClosedTrade(TradeItem):
    """The same trade a second time, listed under the day it closed. Only these are in the indexes."""

    by_symbol = ClosedBySymbol()
    by_channel = ClosedByChannel()

    symbol_month = UnicodeAttribute(attr_name="sm")
    channel_month = UnicodeAttribute(attr_name="cm")


class ClosedDay(Item):
    """A day on which trades closed: written before the first of them is listed."""
