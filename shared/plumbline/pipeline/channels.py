"""Which channels there are, what each computes, and over which symbols."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from plumbline.domain.calendar import DAY, Interval, Timeframe, day_of, day_start, days_between, iso
from plumbline.domain.errors import ExchangeUnavailable, InvalidInput, NotFound, StoreUnavailable
from plumbline.domain.outcomes import GIVE_UP_AFTER
from plumbline.domain.strategies import DEFAULT_CHANNELS, Activation, Channel, Configuration, default_configuration
from plumbline.domain.symbols import resolve
from plumbline.ports import Exchange, Stores, Universe
from plumbline.settings import Settings

SINCE_ALWAYS = 0
FOLLOW_FOR = Interval.D30.ms + GIVE_UP_AFTER + 2 * DAY
"""A symbol that had a signal needs prices until its last outcome is closed. So long its ranking serves, too, while the
exchange has no newer one to give: its markets are still collected."""


def open_channels(stores: Stores) -> list[Channel]:
    """Every channel; on a new stack the default ones are stored first."""
    channels = stores.channels.all()
    if not channels:
        for channel in DEFAULT_CHANNELS:
            stores.channels.add(channel)
        channels = list(DEFAULT_CHANNELS)
    return channels


@dataclass(frozen=True, slots=True)
class Current:
    """A configuration and the span (after, until] of candle closes for which it was the current one."""

    configuration: Configuration
    after: int
    until: int


def configurations(stores: Stores, channel: Channel, after: int, until: int, settings: Settings) -> list[Current]:
    """The configurations that were current in (after, until], each with its part of that span."""
    activations = stores.strategies.activations(channel.channel_id) or [_activate_default(stores, channel, settings)]
    starts = [a.active_from for a in activations]
    spans = []
    for activation, start, end in zip(activations, starts, [*starts[1:], until + 1], strict=True):
        first, last = max(after, start - 1), min(until, end - 1)
        if first < last:
            spans.append(Current(_stored(stores, activation), first, last))
    return spans


def active_configuration(stores: Stores, channel: Channel, at: int, settings: Settings) -> Configuration:
    """The configuration that was current at an instant."""
    current = configurations(stores, channel, at - 1, at, settings)
    if not current:
        raise NotFound(f"channel {channel.channel_id!r} had no active configuration at {iso(at)}")
    return current[-1].configuration


def note_universe(stores: Stores, exchange: Exchange, channels: Sequence[Channel], size: int, now: int) -> None:
    """Store the day's catalogue of markets, once a day, and follow the symbols it makes the channels scan.

    The catalogue is written last: it marks the day as done.
    """
    day = day_of(now)
    if stores.markets.on([day]):
        return
    quotes = sorted({c.quote for c in channels if not c.symbols})
    ranked = {quote: exchange.most_traded(quote, size) for quote in quotes}
    empty = [quote for quote, symbols in ranked.items() if not symbols]
    if empty:
        raise ExchangeUnavailable(f"the exchange ranks no pair of {', '.join(empty)}: such a catalogue is not kept")
    universe = Universe(day=day, taken_at=now, markets=exchange.markets(), most_traded=ranked)
    for symbol in sorted({s for symbols in ranked.values() for s in symbols}):
        stores.markets.follow(symbol, now + FOLLOW_FOR)
    stores.markets.add(universe)


def scanned_symbols(universes: Sequence[Universe], channel: Channel, close: int) -> tuple[str, ...]:
    """Symbols a channel scans for the candle that closed at `close`: its own, else the most traded ones known then.

    A ranking made after the close would choose by what the market did since. Only where there is none before it, at
    the very beginning of a stack, the one of the same day serves.
    """
    if channel.symbols:
        return channel.symbols
    recent = [u for u in universes if day_of(close - FOLLOW_FOR) <= u.day <= day_of(close)]
    known = [u for u in recent if u.taken_at <= close][-1:] or recent[:1]
    return known[0].most_traded.get(channel.quote, ()) if known else ()


def scanned_between(universes: Sequence[Universe], channel: Channel, first: int, last: int) -> list[str]:
    """Every symbol a channel scans for some candle that closed in [first, last], sorted."""
    return sorted({s for _, _, symbols in stretches(universes, channel, first, last) for s in symbols})


def stretches(
    universes: Sequence[Universe], channel: Channel, first: int, last: int
) -> list[tuple[int, int, tuple[str, ...]]]:
    """The closes [first, last] cut where the scanned symbols may change: (from, to, symbols)."""
    days = [(u.taken_at, day_start(u.day)) for u in universes]
    changes = {at for taken_at, day in days for at in (taken_at, day, day + FOLLOW_FOR + DAY)}
    cuts = sorted({first, *(at for at in changes if first < at <= last)})
    ends = [*(cut - 1 for cut in cuts[1:]), last]
    pieces = [(a, b, scanned_symbols(universes, channel, a)) for a, b in zip(cuts, ends, strict=True)]
    alike = ([*same] for _, same in groupby(pieces, key=lambda piece: piece[2]))
    return [(same[0][0], same[-1][1], same[0][2]) for same in alike]


def known_markets(stores: Stores, now: int) -> tuple[str, ...]:
    """The latest catalogue of markets: today's or yesterday's, else the last of a week; empty where there is none."""
    days = days_between(now - 7 * DAY, now)
    universes = stores.markets.on(days[-2:]) or stores.markets.on(days[:-2])
    return universes[-1].markets if universes else ()


def symbols_named(stores: Stores, texts: Sequence[str], now: int, quote: str = "USDT") -> list[str]:
    """The markets that `BTC/USDT`, `BTCUSDT` or `BTC` mean, by the latest catalogue; UnknownSymbol with near matches.

    Where no catalogue is stored yet there is nothing to compare with: ccxt's own spelling is taken as it is.
    """
    markets = _catalogue(stores, now)
    if markets:
        return [resolve(text, markets, quote) for text in texts]
    for text in texts:
        if "/" not in text:
            raise InvalidInput(
                f"{text!r} cannot be looked up: no market catalogue is stored yet; write the symbol as BTC/USDT",
                field="symbol",
            )
    return [text.strip().upper() for text in texts]


def _catalogue(stores: Stores, now: int) -> tuple[str, ...]:
    """The latest catalogue; on a market that stands still, that of the days its cursors have reached."""
    markets = known_markets(stores, now)
    if markets:
        return markets
    reached = {day_of(cursor.position) for cursor in stores.cursors.all() if 0 < cursor.position <= now}
    universes = stores.markets.on(sorted(reached))
    return universes[-1].markets if universes else ()


def universes_between(stores: Stores, first: int, last: int) -> list[Universe]:
    """The catalogues by which symbols are chosen at the closes [first, last]: theirs, and the last one known before."""
    recent = stores.markets.on(days_between(first - 7 * DAY, last))
    if any(universe.taken_at <= first for universe in recent):
        return recent
    return [*stores.markets.on(days_between(first - FOLLOW_FOR, first - 8 * DAY)), *recent]


def wanted_symbols(stores: Stores, channels: Sequence[Channel], now: int) -> list[str]:
    """Symbols to collect: the channels' own, and those followed because signals on them are still being checked."""
    return sorted({symbol for channel in channels for symbol in channel.symbols} | {*stores.markets.followed(now)})


def timeframes_of(channels: Sequence[Channel]) -> list[Timeframe]:
    """The timeframes on which signals are generated."""
    return sorted({c.timeframe for c in channels}, key=lambda t: t.ms)


def _activate_default(stores: Stores, channel: Channel, settings: Settings) -> Activation:
    configuration = default_configuration(
        channel,
        confidence_threshold=settings.confidence_threshold,
        tp_threshold=settings.atr_multiplier_tp,
        sl_threshold=settings.atr_multiplier_sl,
        position_size_pct=settings.position_size_pct,
    )
    stores.strategies.save(configuration)
    activation = Activation(
        strategy=channel.channel_id,
        config_hash=configuration.config_hash,
        active_from=SINCE_ALWAYS,
        notes="default configuration",
    )
    stores.strategies.activate(activation)
    return activation


def _stored(stores: Stores, activation: Activation) -> Configuration:
    configuration = stores.strategies.get(activation.strategy, activation.config_hash)
    if configuration is None:
        raise StoreUnavailable(
            f"strategy {activation.strategy!r} was activated with snapshot {activation.config_hash[:12]}, "
            "which is not stored: save the snapshot before its activation"
        )
    return configuration
