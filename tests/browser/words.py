"""Numbers as the page writes them, computed apart from it."""

from decimal import ROUND_HALF_UP, Decimal


def _rounded(value: float, digits: int) -> str:
    return f"{Decimal(abs(value)).quantize(Decimal(1).scaleb(-digits), ROUND_HALF_UP):,}"


def _sign(value: float, text: str, *, plus: bool) -> str:
    if not any(digit in text for digit in "123456789"):
        return ""
    return "−" if value < 0 else "+" if plus else ""


def profit(value: float) -> str:
    """Dollars with their sign: `+$1,234.50`."""
    text = _rounded(value, 2)
    return f"{_sign(value, text, plus=True)}${text}"


def change(value: float) -> str:
    """Percent with its sign and two digits: `−0.44 %`."""
    text = _rounded(value, 2)
    return f"{_sign(value, text, plus=True)}{text} %"


def percent(value: float | None) -> str:
    """Percent with one digit: `27.2 %`."""
    return "—" if value is None else f"{_sign(value, _rounded(value, 1), plus=False)}{_rounded(value, 1)} %"


def price(value: float) -> str:
    """Two digits from a thousand on, else four; these markets have no smaller prices."""
    return _rounded(value, 2 if value >= 1_000 else 4)
