"""One frozen Settings from the environment; whatever is missing or wrong is listed in one error."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation

from plumbline.domain.errors import SettingsError
from plumbline.domain.signals import MarketType

OWN_MARKETS = ("simulated", "recorded")
"""Sources served by our own simulated exchange: never a live market, so they need its address."""

NO_MODEL = "none"
"""Instead of a model file: PLACEHOLDER mode on purpose."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What a function needs to know about its stack. The names in the environment are in `_NAMES`."""

    stage: str
    tables: str
    exchange: str
    exchange_url: str = ""
    code_version: str = ""
    model: str = ""
    universe_size: int = 50
    confidence_threshold: float = 0.65
    atr_multiplier_sl: float = 2.0
    atr_multiplier_tp: float = 3.0
    position_size_pct: float = 0.02
    check_rules: tuple[str, ...] = ()
    paper_position_usd: Decimal = Decimal(100)
    paper_fee_bps: Decimal = Decimal(10)
    paper_slippage_bps: Decimal = Decimal(5)
    paper_market_types: tuple[MarketType, ...] = tuple(MarketType)
    paper_min_confidence: float = 0.0
    feed_url: str = ""
    sockets_endpoint: str = ""
    dead_letters: str = ""
    summary_email_to: tuple[str, ...] = ()
    summary_email_from: str = ""
    dashboard_url: str = ""

    @classmethod
    def read(cls, environment: Mapping[str, str]) -> "Settings":
        """Settings of this environment; SettingsError lists every fault with what was expected."""
        faults: list[str] = []
        values: dict[str, object] = {}
        for name, (field, convert, expected) in _NAMES.items():
            text = environment.get(name, "").strip()
            if not text and field in _REQUIRED:
                faults.append(f"{name} is missing: expected {expected}")
            elif text:
                try:
                    values[field] = convert(text)
                except (ValueError, InvalidOperation):
                    faults.append(f"{name}={text!r} is wrong: expected {expected}")
        if values.get("exchange") in OWN_MARKETS and not values.get("exchange_url"):
            faults.append(
                f"PLUMBLINE_EXCHANGE_URL is missing: PLUMBLINE_EXCHANGE={values['exchange']} needs its address"
            )
        if values.get("summary_email_to") and not values.get("summary_email_from"):
            faults.append("SUMMARY_EMAIL_FROM is missing: SUMMARY_EMAIL_TO needs a sender that SES has verified")
        if faults:
            raise SettingsError("; ".join(faults))
        return cls(**values)  # type: ignore[arg-type]  # each value was made by its own converter in _NAMES

    @property
    def source(self) -> str:
        """The data source whose record this stack keeps."""
        return self.exchange


def _fraction(text: str) -> float:
    value = float(text)
    if not 0 < value <= 1:
        raise ValueError(text)
    return value


def _positive(text: str) -> float:
    value = float(text)
    if not 0 < value < float("inf"):
        raise ValueError(text)
    return value


def _count(text: str) -> int:
    value = int(text)
    if value < 1:
        raise ValueError(text)
    return value


def _names(text: str) -> tuple[str, ...]:
    return tuple(name.strip() for name in text.split(",") if name.strip())


def _address(text: str) -> str:
    name, at, domain = text.partition("@")
    if not (name and at and "." in domain) or any(mark in text for mark in " ,;<>") or "@" in domain:
        raise ValueError(text)
    return text


def _addresses(text: str) -> tuple[str, ...]:
    return tuple(_address(name) for name in _names(text))


def _dollars(text: str) -> Decimal:
    value = Decimal(text)
    if not 0 < value <= 1_000_000:
        raise ValueError(text)
    return value


def _basis_points(text: str) -> Decimal:
    value = Decimal(text)
    if not 0 <= value <= 1_000:
        raise ValueError(text)
    return value


def _market_types(text: str) -> tuple[MarketType, ...]:
    return tuple(MarketType(name.upper()) for name in _names(text))


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise ValueError(text)
    return value


_NAMES: dict[str, tuple[str, Callable[[str], object], str]] = {
    "PLUMBLINE_STAGE": ("stage", str, "the stage's name, such as local, dev or prod"),
    "PLUMBLINE_TABLES": ("tables", str, "the prefix of the tables' names, such as plumbline-local"),
    "PLUMBLINE_EXCHANGE": ("exchange", str, "a ccxt exchange id such as binance, or simulated, or recorded"),
    "PLUMBLINE_EXCHANGE_URL": ("exchange_url", str, "the address of the simulated exchange"),
    "PLUMBLINE_CODE_VERSION": ("code_version", str, "the version of the code, for a signal's provenance"),
    "PLUMBLINE_MODEL": ("model", str, "a model file instead of the one shipped for the market, or none"),
    "PLUMBLINE_UNIVERSE_SIZE": ("universe_size", _count, "how many of the most traded pairs to scan, 1 or more"),
    "PLUMBLINE_CHECK_RULES": ("check_rules", _names, "names of the rules of the outcome checks, with commas"),
    "CONFIDENCE_THRESHOLD": ("confidence_threshold", _fraction, "a number above 0, at most 1"),
    "ATR_MULTIPLIER_SL": ("atr_multiplier_sl", _positive, "a number above 0"),
    "ATR_MULTIPLIER_TP": ("atr_multiplier_tp", _positive, "a number above 0"),
    "POSITION_SIZE_PCT": ("position_size_pct", _fraction, "a number above 0, at most 1"),
    "PAPER_POSITION_USD": ("paper_position_usd", _dollars, "dollars above 0, at most 1000000"),
    "PAPER_FEE_BPS": ("paper_fee_bps", _basis_points, "basis points a side, 0 to 1000"),
    "PAPER_SLIPPAGE_BPS": ("paper_slippage_bps", _basis_points, "basis points a side, 0 to 1000"),
    "PAPER_MARKET_TYPES": ("paper_market_types", _market_types, "SPOT, FUTURES or both with a comma"),
    "PAPER_MIN_CONFIDENCE": ("paper_min_confidence", _share, "a number from 0 to 1"),
    "PLUMBLINE_FEED_URL": ("feed_url", str, "the WebSocket address of the live feed"),
    "PLUMBLINE_SOCKETS_ENDPOINT": ("sockets_endpoint", str, "the address at which the WebSocket API sends messages"),
    "SUMMARY_EMAIL_TO": ("summary_email_to", _addresses, "e-mail addresses with commas, such as desk@example.com"),
    "SUMMARY_EMAIL_FROM": ("summary_email_from", _address, "an e-mail address, such as plumbline@example.com"),
    "PLUMBLINE_DASHBOARD_URL": ("dashboard_url", str, "the address of the dashboard, for links to it"),
    "PLUMBLINE_DEAD_LETTERS": ("dead_letters", str, "the address of the queue of dead letters"),
}
_REQUIRED = {"stage", "tables", "exchange"}
