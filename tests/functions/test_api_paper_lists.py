"""Paper trades as anybody may see them: whole, filtered, page by page, as JSON and as CSV."""

import csv
import io
from collections.abc import Iterable, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, cast

import pytest

from api.exports import cell, to_csv, wants_csv
from api.paper_inputs import Bookmark
from plumbline.domain.calendar import DAY, HOUR, MINUTE, Timeframe, iso
from plumbline.domain.signals import MarketType, Origin, Side, Tier
from plumbline.domain.trades import Board, Position, Status, Trade
from plumbline.ports import Stores, Universe
from tests.builders import NOON, a_position, a_trade, minute_candles
from tests.fakes import memory_stores
from tests.functions.gateway import OPERATOR, USER, Gateway, Reply, services
from tests.paper_fakes import InMemoryPositions, InMemoryTrades

BASE = "/api/public/paper-trading"


@pytest.fixture
def stores() -> Stores:
    stores = memory_stores()
    stores.markets.add(Universe(day="2026-11-20", markets=("BTC/USDT", "ETH/USDT", "BTC/USDT:USDT"), most_traded={}))
    return stores


@pytest.fixture
def api(stores: Stores) -> Gateway:
    return Gateway(services(stores), claims=None)


def put(stores: Stores, *facts: Trade | Position) -> None:
    for fact in facts:
        if isinstance(fact, Trade):
            stores.trades.add(fact)
        else:
            stores.positions.put(fact)


def some_open(count: int) -> list[Position]:
    return [a_position(opened_at=NOON - (i + 1) * HOUR) for i in range(count)]


def some_closed(count: int) -> list[Trade]:
    return [a_trade(opened_at=NOON - DAY - i * HOUR) for i in range(count)]


def ids(facts: Iterable[Trade | Position]) -> list[str]:
    return [fact.signal_id for fact in facts]


def shown(reply: Reply) -> list[str]:
    assert reply.status == 200, reply.body
    return [trade["signal_id"] for trade in reply.json["trades"]]


def walked(api: Gateway, path: str, rows: str = "trades") -> tuple[list[str], int]:
    """Ids of all pages, and how many pages there were."""
    seen: list[str] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        page = api.get(f"{path}{cursor and '&cursor='}{cursor}").json
        assert page["count"] >= len(page[rows])
        seen += [trade["signal_id"] for trade in page[rows]]
        cursor, pages = page["next_cursor"], pages + 1
    return seen, pages


# --- one row


def test_a_closed_trade_is_shown_whole(api: Gateway, stores: Stores) -> None:
    trade = a_trade(opened_at=NOON - 4 * HOUR, indicators_fired=("rsi",), indicator_breakdown={"rsi": 30.0})
    put(stores, trade)
    reply = api.get(f"{BASE}/")
    assert reply.json["count"] == 1
    assert reply.json["trades"] == [
        {
            "signal_id": trade.signal_id,
            "symbol": "BTC/USDT",
            "direction": "LONG",
            "status": "CLOSED_TP",
            "outcome": "win",
            "market_type": "SPOT",
            "timeframe": "1h",
            "scanner_type": "technical",
            "channel_id": "momentum-alpha",
            "strategy_type": "momentum",
            "tier": "TIER_2_STRONG_BUY",
            "unified_score": 72.5,
            "confidence": 0.725,
            "snapshot_id": "5" * 64,
            "origin": "live",
            "trigger_type": "score",
            "buy_score": 72.5,
            "sell_score": None,
            "indicators_fired": ["rsi"],
            "indicator_breakdown": {"rsi": 30.0},
            "entry_price": 42000.5,
            "net_entry_price": 42010.5,
            "stop_loss": 41200.25,
            "take_profit": 43200.875,
            "opened_at": "2026-11-20T08:00:00Z",
            "expires_at": "2026-11-21T08:00:00Z",
            "closed_at": "2026-11-20T10:59:59.999Z",
            "exit_price": 43200.875,
            "held_seconds": 10_799,
            "position_usd": 100.0,
            "fee_bps": 10.0,
            "slippage_bps": 5.0,
            "pnl_usd": 2.528005,
            "pnl_pct": 2.528005,
            "gross_pnl_usd": 2.858001,
            "gross_pnl_pct": 2.858001,
            "pessimistic_pnl_usd": 2.515792,
            "pessimistic_pnl_pct": 2.515792,
            "ambiguous": False,
            "pnl_usd_if_target": None,
            "max_favourable_pct": 2.858001,
            "max_adverse_pct": -0.25,
            "current_price": None,
            "price_at": None,
            "unrealised_usd": None,
            "unrealised_pct": None,
            "simulated": True,
        }
    ]


def test_an_open_trade_is_worth_what_closing_it_at_the_boards_price_would_make(api: Gateway, stores: Stores) -> None:
    put(stores, a_position(opened_at=NOON - HOUR))
    stores.positions.mark(
        Board(as_of=NOON - MINUTE, open=1, unrealised_usd=Decimal("1.7"), prices={"BTC/USDT": Decimal(42850)})
    )
    content = api.get(f"{BASE}/open-positions/").json
    [trade] = content["trades"]
    assert (content["count"], content["as_of"], content["unrealised_usd"]) == (1, iso(NOON - MINUTE), 1.7)
    assert (trade["status"], trade["outcome"], trade["current_price"]) == ("OPEN", "pending", 42850.0)
    assert trade["price_at"] == iso(NOON - MINUTE)
    # 42010.5 → 42850 is +1.998 %; half a permille of slippage and one of fees, on each side
    assert trade["unrealised_pct"] == pytest.approx(1.998 - 0.302, abs=0.01)
    assert (trade["pnl_usd"], trade["closed_at"], trade["held_seconds"]) == (None, None, None)


def test_an_open_trade_without_a_price_is_worth_nothing_that_is_known(api: Gateway, stores: Stores) -> None:
    put(stores, a_position(opened_at=NOON - HOUR))
    content = api.get(f"{BASE}/open-positions").json
    [trade] = content["trades"]
    assert (trade["current_price"], trade["price_at"], trade["unrealised_usd"]) == (None, None, None)
    assert (content["count"], content["as_of"], content["unrealised_usd"]) == (0, None, 0.0)


def test_a_trade_that_no_candle_decides_shows_both_bounds(api: Gateway, stores: Stores) -> None:
    plain = a_trade(opened_at=NOON - 4 * HOUR, status=Status.STOP)
    put(stores, replace(plain, ambiguous=True, net_if_target=a_trade().net))
    [trade] = api.get(f"{BASE}/").json["trades"]
    assert trade["ambiguous"] is True
    assert trade["pnl_usd"] < 0 < trade["pnl_usd_if_target"]


def test_a_trade_closed_in_a_hole_has_no_price_and_no_profit(api: Gateway, stores: Stores) -> None:
    put(stores, a_trade(opened_at=NOON - 2 * DAY, status=Status.UNKNOWN))
    [trade] = api.get(f"{BASE}/").json["trades"]
    assert (trade["status"], trade["outcome"]) == ("CLOSED_UNKNOWN", "unknown")
    assert (trade["exit_price"], trade["pnl_usd"], trade["gross_pnl_pct"]) == (None, None, None)
    assert trade["closed_at"] == iso(NOON - DAY)


# --- filters

ODD: dict[str, tuple[str, dict[str, Any]]] = {
    "market_type": ("market_type=FUTURES", {"market_type": MarketType.FUTURES}),
    "symbol": ("symbol=ETHUSDT", {"symbol": "ETH/USDT"}),
    "timeframe": ("timeframe=5m", {"timeframe": Timeframe.M5}),
    "scanner": ("scanner=mss", {"scanner_type": "mss"}),
    "channel": ("channel=reversion-beta", {"channel_id": "reversion-beta"}),
    "outside channel": ("channel=external", {"channel_id": "external"}),
    "tier": ("tier=TIER_1_MUST_BUY", {"unified_score": 90.0, "tier": Tier.MUST_BUY}),
    "side": ("side=SHORT", {"side": Side.SHORT}),
}


@pytest.mark.parametrize(("query", "changes"), ODD.values(), ids=ODD)
def test_every_filter_chooses_among_open_and_closed_alike(
    api: Gateway, stores: Stores, query: str, changes: dict[str, Any]
) -> None:
    put(stores, *some_open(2), *some_closed(2))
    odd_open, odd_closed = (
        a_position(opened_at=NOON - 9 * HOUR, **changes),
        a_trade(opened_at=NOON - 9 * HOUR, **changes),
    )
    put(stores, odd_open, replace(odd_closed, position=replace(odd_closed.position, **_moved(-2 * DAY, odd_closed))))
    stores.positions.mark(Board(as_of=NOON, open=3, unrealised_usd=Decimal(0), prices={}))
    found = api.get(f"{BASE}/?{query}")
    assert [trade["status"] for trade in found.json["trades"]] == ["OPEN", "CLOSED_TP"]
    assert shown(api.get(f"{BASE}/open-positions/?{query}")) == [odd_open.signal_id]
    assert api.get(f"{BASE}/open-positions/?{query}").json["count"] == 1
    assert api.get(f"{BASE}/summary/?{query}").json["closed"] == 1
    assert api.get(f"{BASE}/performance/?{query}").json["closed"] == 1


def _moved(by: int, trade: Trade) -> dict[str, Any]:
    """Another signal of the same kind, earlier."""
    earlier = a_position(opened_at=trade.position.opened_at + by)
    return {"opened_at": earlier.opened_at, "signal_id": earlier.signal_id}


def test_several_filters_hold_together(api: Gateway, stores: Stores) -> None:
    both = a_trade(opened_at=NOON - 5 * HOUR, symbol="ETH/USDT", scanner_type="mss")
    put(stores, both, a_trade(opened_at=NOON - 6 * HOUR, symbol="ETH/USDT"), *some_closed(1))
    assert shown(api.get(f"{BASE}/?symbol=eth&scanner=mss")) == ids([both])
    assert api.get(f"{BASE}/summary/?symbol=eth&scanner=mss").json["closed"] == 1


def test_the_days_are_those_in_which_trades_closed_and_what_is_open_is_always_shown(
    api: Gateway, stores: Stores
) -> None:
    today, yesterday = a_trade(opened_at=NOON - 4 * HOUR), a_trade(opened_at=NOON - DAY)
    opened_yesterday = a_position(opened_at=NOON - 20 * HOUR)
    put(stores, today, yesterday, opened_yesterday)
    assert shown(api.get(f"{BASE}/?days=1")) == ids([opened_yesterday, today])
    assert shown(api.get(f"{BASE}/?days=2")) == ids([opened_yesterday, today, yesterday])


def test_backfilled_trades_are_listed_and_never_counted(api: Gateway, stores: Stores) -> None:
    put(stores, a_trade(opened_at=NOON - 4 * HOUR, origin=Origin.BACKFILL))
    put(stores, a_position(opened_at=NOON - HOUR, origin=Origin.BACKFILL))
    assert [trade["origin"] for trade in api.get(f"{BASE}/").json["trades"]] == ["backfill", "backfill"]
    assert api.get(f"{BASE}/open-positions/?side=LONG").json["count"] == 0
    assert api.get(f"{BASE}/summary/").json["total"] == 0


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("side=UP", "side"),
        ("side=BUY", "side"),
        ("tier=1", "tier"),
        ("timeframe=2h", "timeframe"),
        ("market_type=MARGIN", "market_type"),
        ("scanner=Nobody!", "scanner"),
        ("symbol=NOPE", "symbol"),
        ("days=0", "days"),
        ("days=367", "days"),
        ("side=LONG&side=SHORT", "side"),
    ],
)
@pytest.mark.parametrize("path", ["", "open-positions/", "summary/", "performance/"])
def test_a_filter_that_cannot_be_applied_is_refused_by_its_name(
    api: Gateway, path: str, query: str, field: str
) -> None:
    reply = api.get(f"{BASE}/{path}?{query}")
    assert (reply.status, reply.headers["content-type"]) == (422, "application/problem+json")
    assert [fault["field"] for fault in reply.json["errors"]] == [field]


def test_a_channel_that_nobody_publishes_is_not_found_among_those_that_are(api: Gateway) -> None:
    reply = api.get(f"{BASE}/?channel=alpha")
    assert reply.status == 404
    assert "no channel 'alpha'; there are breakout-gamma, " in reply.json["detail"]


# --- pages


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 7, 50])
def test_the_pages_hold_every_trade_once_the_open_ones_first(api: Gateway, stores: Stores, limit: int) -> None:
    opened, closed = some_open(3), some_closed(4)
    put(stores, *opened, *closed)
    seen, pages = walked(api, f"{BASE}/?limit={limit}")
    assert seen == ids([*opened, *closed])
    assert pages >= 7 / limit
    assert len(api.get(f"{BASE}/?limit={limit}").json["trades"]) == min(limit, 7)


@pytest.mark.parametrize(
    ("path", "rows", "part"),
    [
        (f"{BASE}/?status=open", "trades", "open"),
        (f"{BASE}/?status=closed", "trades", "closed"),
        (f"{BASE}/open-positions?days=30", "trades", "open"),
        ("/api/signals/positions/active?days=30", "positions", "open"),
        ("/api/signals/positions/closed?days=30", "positions", "closed"),
    ],
)
def test_one_part_of_the_list_is_paged_to_its_own_end(stores: Stores, path: str, rows: str, part: str) -> None:
    facts: dict[str, Sequence[Trade | Position]] = {"open": some_open(3), "closed": some_closed(3)}
    put(stores, *facts["open"], *facts["closed"])
    stores.positions.mark(Board(as_of=NOON, open=3, unrealised_usd=Decimal(0), prices={}))
    seen, pages = walked(Gateway(services(stores)), f"{path}&limit=2", rows)
    assert (seen, pages) == (ids(facts[part]), 2)


def test_a_store_that_looks_at_few_at_a_time_still_shows_all(stores: Stores) -> None:
    slow = replace(stores, positions=InMemoryPositions(most_read=2), trades=InMemoryTrades(most_read=2))
    wanted: list[Trade | Position] = [
        a_position(opened_at=NOON - 9 * HOUR, side=Side.SHORT),
        a_trade(opened_at=NOON - 2 * DAY, side=Side.SHORT),
    ]
    put(slow, *some_open(5), *some_closed(5), *wanted)
    api = Gateway(services(slow), claims=None)
    seen, pages = walked(api, f"{BASE}/?side=SHORT")
    assert seen == ids(wanted)
    assert pages > 2
    assert len(lines_of(api.get(f"{BASE}/?side=SHORT&format=csv"))) == 1 + 2


def test_a_trade_that_is_just_being_closed_stands_in_a_page_once_as_closed(api: Gateway, stores: Stores) -> None:
    trade = a_trade(opened_at=NOON - 4 * HOUR)
    put(stores, trade, trade.position)
    [row] = api.get(f"{BASE}/").json["trades"]
    assert row["status"] == "CLOSED_TP"


def test_a_list_that_is_read_across_midnight_stays_the_list_that_it_was(stores: Stores) -> None:
    closed = some_closed(4)
    put(stores, *closed)
    before = Gateway(services(stores, now=NOON + 12 * HOUR - 1), claims=None)
    after = Gateway(services(stores, now=NOON + 12 * HOUR), claims=None)
    first = before.get(f"{BASE}/?days=2&limit=2").json
    assert shown(after.get(f"{BASE}/?days=2&limit=2&cursor={first['next_cursor']}")) == ids(closed[2:])
    assert shown(after.get(f"{BASE}/?days=2")) == []


@pytest.mark.parametrize(
    "cursor",
    [
        "nonsense",
        "bnVsbA",
        Bookmark("open", 30, NOON - NOON % DAY - 29 * DAY, "nonsense").text(),
        Bookmark("closed", 30, NOON - NOON % DAY - 29 * DAY, "nonsense").text(),
        Bookmark("closed", 7, NOON - NOON % DAY - 6 * DAY).text(),
        Bookmark("closed", 31, NOON - NOON % DAY - 30 * DAY).text(),
        Bookmark("closed", 30, 0).text(),
        Bookmark("closed", 30, NOON).text(),
        Bookmark(cast("Any", "all"), 30, NOON - NOON % DAY - 29 * DAY).text(),
    ],
)
def test_a_cursor_that_is_none_of_this_list_is_refused(api: Gateway, stores: Stores, cursor: str) -> None:
    put(stores, *some_closed(2))
    reply = api.get(f"{BASE}/?cursor={cursor}")
    assert reply.status == 422
    assert [fault["field"] for fault in reply.json["errors"]] == ["cursor"]


def test_a_cursor_of_open_trades_opens_no_list_of_closed_ones(api: Gateway, stores: Stores) -> None:
    put(stores, *some_open(2))
    cursor = api.get(f"{BASE}/?limit=1").json["next_cursor"]
    assert api.get(f"{BASE}/?limit=1&status=closed&cursor={cursor}").status == 422
    assert api.get(f"{BASE}/?limit=1&side=LONG&cursor={cursor}").status == 422


@pytest.mark.parametrize(("query", "status"), [("limit=200", 200), ("limit=201", 422), ("limit=5000&format=csv", 200)])
def test_a_page_of_json_is_small_and_one_of_csv_may_be_large(api: Gateway, query: str, status: int) -> None:
    assert api.get(f"{BASE}/?{query}").status == status
    assert api.get(f"{BASE}/?limit=5001&format=csv").status == 422


# --- CSV


def lines_of(reply: Reply) -> list[list[str]]:
    assert reply.status == 200, reply.body
    return list(csv.reader(io.StringIO(reply.body, newline="")))


@pytest.mark.parametrize("accept", [None, "text/csv"])
def test_the_list_is_csv_where_the_address_or_the_reader_says_so(
    api: Gateway, stores: Stores, accept: str | None
) -> None:
    put(stores, *some_open(1), *some_closed(2))
    reply = api.get(f"{BASE}/", accept=accept) if accept else api.get(f"{BASE}/?format=csv")
    assert reply.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert reply.headers["content-disposition"] == 'attachment; filename="paper-trades.csv"'
    assert reply.headers["vary"] == "Accept"
    assert "link" not in reply.headers
    head, *rows = lines_of(reply)
    json_rows = api.get(f"{BASE}/").json["trades"]
    assert set(head) == set(json_rows[0])
    assert [dict(zip(head, row, strict=True))["signal_id"] for row in rows] == [row["signal_id"] for row in json_rows]
    assert reply.body.count("\r\n") == reply.body.count("\n") == 4


def test_what_the_address_says_goes_before_what_the_reader_accepts(api: Gateway) -> None:
    assert api.get(f"{BASE}/?format=json", accept="text/csv").headers["content-type"] == "application/json"
    assert api.get(f"{BASE}/").headers["vary"] == "Accept"


def test_a_long_csv_goes_on_where_its_link_leads(api: Gateway, stores: Stores) -> None:
    opened, closed = some_open(2), some_closed(3)
    put(stores, *opened, *closed)
    seen, path = [], f"{BASE}/?format=csv&limit=2&days=7&side=LONG"
    while path:
        reply = api.get(path)
        head, *rows = lines_of(reply)
        seen += [row[head.index("signal_id")] for row in rows]
        link = reply.headers.get("link", "")
        assert not link or link.endswith('>; rel="next"')
        path = f"{BASE}/{link[1:].partition('>')[0]}" if link else ""
    assert seen == ids([*opened, *closed])


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, ""),
        (True, "true"),
        (-2.5, "-2.5"),
        (0.00001234, "0.00001234"),
        (42000.0, "42000"),
        (1e16, "10000000000000000"),
        (7, "7"),
        ("BTC/USDT", "BTC/USDT"),
        ("=1+1", "'=1+1"),
        ("+1", "'+1"),
        ("-1", "'-1"),
        ("@sum(a1)", "'@sum(a1)"),
        ("\t=1", "'\t=1"),
        ([], ""),
        (["rsi", "macd"], '["rsi","macd"]'),
        ({"rsi": 30.0}, '{"rsi":30.0}'),
    ],
)
def test_a_cell_is_plain_and_nothing_that_a_spreadsheet_would_run(value: object, text: str) -> None:
    assert cell(value) == text


def test_text_with_commas_quotes_and_line_breaks_survives() -> None:
    awkward = 'says "buy",\r\nthen sells'
    [_, row] = csv.reader(io.StringIO(to_csv(["a", "b"], [{"a": awkward, "b": 1}]), newline=""))
    assert row == [awkward, "1"]


@pytest.mark.parametrize(
    ("accept", "as_csv"),
    [
        ("", False),
        ("*/*", False),
        ("text/html,application/xhtml+xml,*/*;q=0.8", False),
        ("application/json", False),
        ("application/json, text/csv", False),
        ("application/json;q=0.5, text/csv;q=0.4", False),
        ("text/csv;q=0", False),
        ("text/csv;q=much, */*", False),
        ("text/csv;q=0.5, */*", False),
        ("text/csv", True),
        ("TEXT/CSV; charset=utf-8", True),
        ("text/csv, */*", True),
        ("application/json;q=0.5, text/csv", True),
    ],
)
def test_csv_is_sent_to_whoever_prefers_it(accept: str, as_csv: bool) -> None:
    assert wants_csv(accept) is as_csv


# --- caching and privacy


@pytest.mark.parametrize("path", ["/", "/?format=csv", "/open-positions/", "/summary/", "/performance/?by=scanner"])
def test_what_the_reader_has_is_not_sent_again(api: Gateway, stores: Stores, path: str) -> None:
    put(stores, *some_open(1), *some_closed(2))
    first = api.get(f"{BASE}{path}")
    assert first.headers["cache-control"] == "public, max-age=15"
    again = api.get(f"{BASE}{path}", if_none_match=first.headers["etag"])
    assert (again.status, again.body) == (304, "")
    assert again.headers.get("vary") == first.headers.get("vary")
    put(stores, a_trade(opened_at=NOON - 5 * HOUR), a_position(opened_at=NOON - 5 * HOUR - MINUTE))
    assert api.get(f"{BASE}{path}", if_none_match=first.headers["etag"]).status == 200


def test_json_and_csv_of_one_address_are_told_apart_by_their_tags(api: Gateway, stores: Stores) -> None:
    put(stores, *some_closed(1))
    assert api.get(f"{BASE}/").headers["etag"] != api.get(f"{BASE}/", accept="text/csv").headers["etag"]


@pytest.mark.parametrize("path", ["", "/open-positions", "/summary", "/performance"])
def test_a_path_answers_with_and_without_its_last_slash(api: Gateway, stores: Stores, path: str) -> None:
    put(stores, *some_open(1), *some_closed(2))
    assert api.get(f"{BASE}{path}").body == api.get(f"{BASE}{path}/").body


PRIVATE = {"user", "user_id", "account", "email", "subscriber", "sub", "chat_id", "telegram"}


@pytest.mark.parametrize("path", ["/", "/open-positions", "/summary", "/performance?by=channel"])
def test_a_public_answer_is_the_same_for_everybody_and_about_nobody(stores: Stores, path: str) -> None:
    put(stores, *some_open(1), *some_closed(2))
    anyone = Gateway(services(stores), claims=None)
    bodies = {anyone.by(claims).get(f"{BASE}{path}").body for claims in (None, USER, OPERATOR)}
    assert len(bodies) == 1
    assert not PRIVATE & set(names_in(anyone.get(f"{BASE}{path}").json))


def names_in(content: Any) -> list[str]:
    if isinstance(content, dict):
        return [*content, *(name for value in content.values() for name in names_in(value))]
    return [name for value in content for name in names_in(value)] if isinstance(content, list) else []


def test_positions_are_for_users_and_kept_by_nobody(stores: Stores) -> None:
    put(stores, *some_open(1))
    path = "/api/signals/positions/active"
    assert Gateway(services(stores), claims=None).get(path).status == 401
    reply = Gateway(services(stores)).get(path)
    assert (reply.json["count"], reply.headers["cache-control"]) == (1, "no-store")


# --- one trade and its market


def test_a_trade_is_shown_with_the_minutes_around_it(api: Gateway, stores: Stores) -> None:
    trade = a_trade(opened_at=NOON - 4 * HOUR)
    put(stores, trade)
    stores.candles.add("BTC/USDT", minute_candles(*(40_000.0 + i for i in range(480)), start=NOON - 6 * HOUR))
    content = api.get(f"{BASE}/{trade.signal_id}/").json
    rows = content["candles"]["rows"]
    assert (content["trade"]["signal_id"], content["candles"]["timeframe"]) == (trade.signal_id, "1m")
    assert rows[0][0] == trade.position.opened_at - 30 * MINUTE
    assert rows[-1][0] == NOON - HOUR + 9 * MINUTE
    assert len(rows) == 30 + 180 + 10


def test_a_trade_of_a_whole_day_is_shown_in_five_minutes_made_of_minutes(api: Gateway, stores: Stores) -> None:
    trade = a_trade(opened_at=NOON - 2 * DAY, status=Status.EXPIRED)
    put(stores, trade)
    minutes = minute_candles(*(40_000.0 + i % 7 for i in range(1_800)), start=NOON - 2 * DAY - 3 * HOUR)
    stores.candles.add("BTC/USDT", minutes)
    candles = api.get(f"{BASE}/{trade.signal_id}").json["candles"]
    inside = minutes.between(NOON - 2 * DAY, NOON - 2 * DAY + 5 * MINUTE)
    [shown_] = [row for row in candles["rows"] if row[0] == NOON - 2 * DAY]
    assert candles["timeframe"] == "5m"
    assert 288 < len(candles["rows"]) <= 400
    assert shown_[1:] == [inside.open[0], inside.high.max(), inside.low.min(), inside.close[-1], inside.volume.sum()]


def test_the_chart_of_an_open_trade_ends_with_the_last_candle_that_is_over(stores: Stores) -> None:
    position = a_position(opened_at=NOON - 7 * HOUR)
    put(stores, position)
    stores.candles.add("BTC/USDT", minute_candles(*(40_000.0 + i for i in range(600)), start=NOON - 8 * HOUR))
    api = Gateway(services(stores, now=NOON - HOUR + 3 * MINUTE), claims=None)
    content = api.get(f"{BASE}/{position.signal_id}").json
    assert (content["trade"]["status"], content["candles"]["timeframe"]) == ("OPEN", "5m")
    assert content["candles"]["rows"][-1][0] == NOON - HOUR - 5 * MINUTE


def test_a_trade_without_stored_candles_has_an_empty_chart(api: Gateway, stores: Stores) -> None:
    trade = a_trade(opened_at=NOON - 4 * HOUR)
    put(stores, trade)
    assert api.get(f"{BASE}/{trade.signal_id}").json["candles"] == {"timeframe": "1m", "rows": []}


@pytest.mark.parametrize("signal_id", [a_position().signal_id, "nobody", "0" * 25, "ILOU" * 6 + "00", "..", "%00"])
def test_a_trade_that_there_is_not_is_not_found(api: Gateway, signal_id: str) -> None:
    reply = api.get(f"{BASE}/{signal_id}/")
    assert (reply.status, reply.headers["content-type"]) == (404, "application/problem+json")
    assert "no trade" in reply.json["detail"]


def test_a_trade_that_closes_between_two_looks_is_found(stores: Stores) -> None:
    trade = a_trade(opened_at=NOON - 4 * HOUR)

    class Closing(InMemoryPositions):
        """The tracker closes the trade after the first look at the closed ones."""

        def all(self) -> list[Position]:
            stores.trades.add(trade)
            return []

    api = Gateway(services(replace(stores, positions=Closing())), claims=None)
    assert api.get(f"{BASE}/{trade.signal_id}").json["trade"]["status"] == "CLOSED_TP"
