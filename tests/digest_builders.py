"""A digest with something in every part of it."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from plumbline.domain.books import Book, BookCell
from plumbline.domain.calendar import DAY, HOUR, Interval, day_of, day_start
from plumbline.domain.digest import (
    ConfigurationLine,
    DayLine,
    Digest,
    Kind,
    RecordLine,
    SignalLine,
    TradesLine,
    first_day,
)
from plumbline.domain.figures import GroupFigures
from plumbline.domain.performance import Cell, Tally
from plumbline.domain.recommendations import Category, Priority, Recommendation

FRIDAY = "2026-11-20"


def a_book_cell(*results: str) -> BookCell:
    """A cell of trades with these net results (USD), one after the other; gross is 30 cents better each."""
    cell = BookCell()
    for text in results:
        usd = Decimal(text)
        cell += BookCell(
            targets=int(usd > 0),
            stops=int(usd <= 0),
            held_seconds=5_400,
            net=_book(usd),
            ideal=_book(usd + Decimal("0.3")),
            pessimistic=_book(usd - Decimal("0.12")),
        )
    return cell


def _book(usd: Decimal) -> Book:
    zero = Decimal(0)
    return Book(
        winners=int(usd > 0),
        losers=int(usd < 0),
        pnl=usd,
        pnl_winners=max(usd, zero),
        pnl_losers=min(usd, zero),
        squares=usd * usd,
        best=usd,
        worst=usd,
        peak=max(usd, zero),
        trough=min(usd, zero),
        drawdown=max(-usd, zero),
    )


def a_cell(signals: int, *tallies: tuple[Interval, int, int, int]) -> Cell:
    """A cell of signals with wins, losses and neutral outcomes at some intervals, one more due than checked."""
    return Cell(
        signals,
        {
            interval: Tally(
                due=wins + losses + neutral + 1,
                wins=wins,
                losses=losses,
                neutral=neutral,
                pnl=Decimal(6 * wins - 4 * losses),
                pnl_wins=Decimal(6 * wins),
                pnl_losses=Decimal(-4 * losses),
                score=Decimal(70 * (wins + losses + neutral)),
            )
            for interval, wins, losses, neutral in tallies
        },
    )


def a_standout(symbol: str, pnl_pct: float, side: str = "LONG", channel_id: str = "momentum-alpha") -> SignalLine:
    """A signal that was judged so a day later."""
    return SignalLine(
        signal_id=f"id-{symbol}-{side}",
        given_at=day_start(FRIDAY) - 17 * HOUR,
        symbol=symbol,
        side=side,
        channel_id=channel_id,
        scanner_type="technical",
        unified_score=78.4,
        pnl_pct=pnl_pct,
    )


WHOLE = a_cell(
    37,
    (Interval.H1, 3, 4, 29),
    (Interval.H4, 9, 8, 18),
    (Interval.H24, 17, 10, 6),
    (Interval.D7, 12, 9, 3),
    (Interval.D30, 5, 4, 1),
)
RESULTS = ("2.41", "-1.87", "3.05", "2.2", "-2.14", "-1.93", "2.76", "1.15", "-0.42", "3.31", "-2.05", "2.02", "0.88")
NET = [3.1, -2.2, 0, 5.6, 1.9, -4.4, -1.2, 0, 0, 7.3, 2.5, -0.6, 3.3, -5.9, -3.1, 1.1, 4.9, 6.2, -2.8, 0.4]
NET += [0, -1.4, 2.2, 3.7, -4.8, 5.3, 1.6, -2.6, 4.1, 9.37]


def a_digest(kind: Kind = Kind.DAILY, last_day: str = FRIDAY, **changes: Any) -> Digest:
    """The digest of a day on which much happened, unless it is named."""
    end = day_start(last_day) + DAY
    days = [day_of(end - back * DAY) for back in range(30, 0, -1)]
    typical: dict[str, Any] = {
        "kind": kind,
        "source": "binance",
        "first_day": first_day(kind, last_day),
        "last_day": last_day,
        "record": RecordLine.of("all", WHOLE),
        "intervals": tuple(RecordLine.of(i, Cell(WHOLE.signals, {i: t})) for i, t in WHOLE.tallies.items()),
        "trades": TradesLine.of("all", a_book_cell(*RESULTS)),
        "channels": (
            TradesLine.of("breakout-gamma", a_book_cell(*RESULTS[:4])),
            TradesLine.of("momentum-alpha", a_book_cell(*RESULTS[4:8])),
            TradesLine.of("policy-epsilon", a_book_cell(*RESULTS[8:])),
        ),
        "best": (a_standout("SOL/USDT", 11.42), a_standout("ETH/USDT", 8.05, "SHORT"), a_standout("LINK/USDT", 6.6)),
        "worst": (
            a_standout("DOGE/USDT", -9.84, channel_id="breakout-gamma"),
            a_standout("BTC/USDT:USDT", -4.12, "SHORT", "trend-delta"),
            a_standout("XRP/USDT", -3.3),
        ),
        "trend": tuple(
            DayLine(day=day, closed=9 * bool(net), net_pnl_usd=net) for day, net in zip(days, NET, strict=True)
        ),
        "compared_days": 90,
        "configurations": (
            ConfigurationLine(
                channel_id="momentum-alpha",
                config_hash="3f8a6c21" * 8,
                active_from=end - 9 * DAY,
                active_until=None,
                notes="wider targets",
                figures=GroupFigures.of(a_book_cell(*RESULTS, *RESULTS)),
            ),
            ConfigurationLine(
                channel_id="momentum-alpha",
                config_hash="b07d51ee" * 8,
                active_from=0,
                active_until=end - 9 * DAY,
                notes="default configuration",
                figures=GroupFigures.of(a_book_cell(*(f"{-float(r)}" for r in RESULTS))),
            ),
            ConfigurationLine(
                channel_id="policy-epsilon",
                config_hash="91c2d7aa" * 8,
                active_from=0,
                active_until=None,
                notes="default configuration",
                figures=GroupFigures.of(BookCell()),
            ),
        ),
        "recommendations": (
            Recommendation(
                priority=Priority.URGENT,
                category=Category.TIER,
                message="TIER_1_MUST_BUY: 54.2 % of 96 outcomes won (95 %: 40.3–67.4, 48 signals); not yet significant",
                action="Raise the threshold of TIER_1 to 90",
                figures={"win_rate": 54.1667, "independent_n": 48, "p_value": 0.4604},
                significant=False,
            ),
            Recommendation(
                priority=Priority.HIGH,
                category=Category.SCANNER,
                message="Best scanner smart_money: 64.9 % of 231 outcomes won (95 %: 55.8–73.1, 114 signals)",
                action="Raise the weight of smart_money",
                figures={"win_rate": 64.9351, "independent_n": 114, "p_value": 0.0113},
                significant=True,
            ),
            Recommendation(
                priority=Priority.INFO,
                category=Category.INTERVAL,
                message="Best interval 24h: 57.6 % of 330 outcomes won (95 %: 52.2–62.8, 330 signals)",
                action="These signals work best held for 24h",
                figures={"win_rate": 57.5758, "independent_n": 330, "p_value": 0.00004},
                significant=True,
            ),
        ),
    }
    return replace(Digest(**typical), **changes)


def a_quiet_digest() -> Digest:
    """The digest of a day on which no trade closed and no signal was judged a day later."""
    nothing = TradesLine.of("all", BookCell())
    return replace(a_digest(), trades=nothing, channels=(), best=(), worst=(), configurations=(), recommendations=())
