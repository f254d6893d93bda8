"""Figures and dates as people read them, the same in every form of a summary."""

from datetime import date

from plumbline.domain.calendar import day_of, iso
from plumbline.domain.digest import Digest, Kind
from plumbline.domain.figures import Rate

NOTHING = "–"
NOT_YET = "not yet significant"
_TIERS = {"TIER_1": "Tier 1", "TIER_2": "Tier 2", "TIER_3": "Tier 3", "TIER_4": "Tier 4"}

HOW_TO_READ = (
    "Paper trades: no order was placed and no money was at stake; the results are hypothetical. Net is after fees and "
    "slippage, gross before them, pessimistic with every market order filled at the worst price of its minute. A rate "
    "stands with its sample n and its 95 % interval (Wilson): where that spans the break-even rate, nothing is proven. "
    "An outcome is a win from +5 %, a loss from −3 %. Days are UTC."
)


def usd(amount: float | None, *, sign: bool = True) -> str:
    """Dollars: `+$12.34`, `−$0.07`; zero has no sign."""
    if amount is None:
        return NOTHING
    text = f"${abs(amount):,.2f}"
    if text == "$0.00" or (amount > 0 and not sign):
        return text
    return f"{'+' if amount > 0 else '−'}{text}"


def change(percent: float | None) -> str:
    """A gain or loss in percent: `+1.23 %`."""
    if percent is None:
        return NOTHING
    text = f"{abs(percent):.2f} %"
    return text if text == "0.00 %" else f"{'+' if percent > 0 else '−'}{text}"


def share(percent: float | None) -> str:
    """A rate in percent: `54.5 %`."""
    return NOTHING if percent is None else f"{percent:.1f} %"


def interval(low: float | None, high: float | None) -> str:
    """The ends of a 95 % interval: `34.7–73.1`."""
    return NOTHING if low is None or high is None else f"{low:.1f}–{high:.1f}"


def ratio(value: float | None) -> str:
    """A plain number: `1.46`."""
    return NOTHING if value is None else f"{value:.2f}".replace("-", "−")


def rate_in_words(rate: Rate) -> str:
    """A win rate with what it rests on: `54.5 % (95 %: 34.7–73.1, n = 22)`."""
    if rate.win_rate is None:
        return NOTHING
    return f"{share(rate.win_rate)} (95 %: {interval(rate.win_rate_low, rate.win_rate_high)}, n = {rate.n})"


def count(number: int, one: str, many: str | None = None) -> str:
    """`1 trade`, `22 trades`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def tier(name: str) -> str:
    """`Tier 1` for `TIER_1_MUST_BUY`."""
    return _TIERS.get(name[:6], name)


def heading(digest: Digest) -> str:
    """What period it is: `Friday 20 November 2026`, `Week of 16–22 November 2026`, `30 days to 30 November 2026`."""
    first, last = date.fromisoformat(digest.first_day), date.fromisoformat(digest.last_day)
    match digest.kind:
        case Kind.DAILY:
            return f"{last:%A} {last.day} {last:%B %Y}"
        case Kind.WEEKLY:
            same = first.month == last.month
            begin = (
                str(first.day) if same else f"{first.day} {first:%B}" + (f" {first.year}" * (first.year != last.year))
            )
            return f"Week of {begin}{'–' if same else ' – '}{last.day} {last:%B %Y}"
        case Kind.MONTHLY:
            return f"{digest.kind.days} days to {last.day} {last:%B %Y}"


def short_day(day: str) -> str:
    """`20 Nov`."""
    at = date.fromisoformat(day)
    return f"{at.day} {at:%b}"


def without_doubt(message: str) -> str:
    """A recommendation's message where its doubt stands beside it already."""
    return message.removesuffix(f"; {NOT_YET}")


def moment(instant: int) -> str:
    """`20 Nov 07:00`."""
    return f"{short_day(day_of(instant))} {iso(instant)[11:16]}"


def since(active_from: int, active_until: int | None) -> str:
    """From when to when a configuration was current."""
    begin = short_day(day_of(active_from)) if active_from else "the beginning"
    return f"since {begin}" if active_until is None else f"{begin} – {short_day(day_of(active_until))}"


def subject(digest: Digest) -> str:
    """The subject of the mail: the period and its result."""
    figures = digest.trades.figures
    told = (
        f"net {usd(figures.net.total_pnl_usd)} on {count(figures.closed, 'trade')}"
        if figures.closed
        else "no trade closed"
    )
    return f"{'[simulated] ' if digest.simulated else ''}Plumbline, {heading(digest)}: {told}"
