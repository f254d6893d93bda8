"""What is computed and for which markets: snapshots and their activations, channels, each day's universe."""

import json
from collections.abc import Sequence
from typing import Any

from plumbline.adapters.tables import (
    ActivationItem,
    ChannelItem,
    FollowedItem,
    SnapshotItem,
    UniverseItem,
)
from plumbline.domain.calendar import Timeframe
from plumbline.domain.strategies import Activation, Channel, Configuration
from plumbline.ports import Universe

_CHANNELS = "channels"
_CATALOGUE = "catalogue"


class DynamoStrategies:
    """ports.StrategyStore. Configurations are the same whatever market they are computed on, so no source here."""

    def __init__(self, snapshots: type[SnapshotItem], activations: type[ActivationItem]) -> None:
        self._snapshots = snapshots
        self._activations = activations

    def save(self, configuration: Configuration) -> bool:
        """Stored under its content's hash: the same content is the same item."""
        key = configuration.strategy, f"snapshot#{configuration.config_hash}"
        return self._snapshots(*key, content=configuration.canonical()).put_new()

    def get(self, strategy: str, config_hash: str) -> Configuration | None:
        """One snapshot."""
        item = self._snapshots.read(strategy, f"snapshot#{config_hash}")
        return Configuration.parse(json.loads(item.content)) if item else None

    def activate(self, activation: Activation) -> bool:
        """Stored under its moment, thirteen digits wide so that text sorts as time does."""
        return self._activations(
            activation.strategy,
            f"activation#{activation.active_from:013d}",
            config_hash=activation.config_hash,
            activated_by=activation.activated_by,
            notes=activation.notes,
        ).put_new()

    def activations(self, strategy: str) -> list[Activation]:
        """All of a strategy's, oldest first."""
        stored = self._activations.select(strategy, self._activations.sk.startswith("activation#"))
        return [
            Activation(
                strategy=strategy,
                config_hash=item.config_hash,
                active_from=int(item.sk.removeprefix("activation#")),
                activated_by=item.activated_by,
                notes=item.notes,
            )
            for item in stored
        ]


class DynamoChannels:
    """ports.ChannelStore. One small partition: channels are few, and written once each."""

    def __init__(self, items: type[ChannelItem]) -> None:
        self._items = items

    def add(self, channel: Channel) -> bool:
        """Put if absent."""
        return self._items(
            _CHANNELS,
            channel.channel_id,
            name=channel.name,
            strategy_type=channel.strategy_type,
            timeframe=channel.timeframe,
            symbols=channel.symbols,
            quote=channel.quote,
            max_lag=channel.max_lag,
        ).put_new()

    def all(self) -> list[Channel]:
        """Every channel; the sort key is its id."""
        return [
            Channel(
                channel_id=item.sk,
                name=item.name,
                strategy_type=item.strategy_type,
                timeframe=Timeframe(item.timeframe),
                symbols=tuple(item.symbols),
                quote=item.quote,
                max_lag=item.max_lag,
            )
            for item in self._items.select(_CHANNELS)
        ]


class DynamoMarkets:
    """ports.Markets."""

    def __init__(self, universes: type[UniverseItem], followed: type[FollowedItem], source: str) -> None:
        self._universes = universes
        self._followed = followed
        self._source = source

    def add(self, universe: Universe) -> bool:
        """Put if absent: some 2,000 symbols compress to a few KB."""
        catalogue = {
            "taken_at": universe.taken_at,
            "markets": universe.markets,
            "most_traded": dict(universe.most_traded),
        }
        return self._universes(*self._key(universe.day), catalogue=catalogue).put_new()

    def on(self, days: Sequence[str]) -> list[Universe]:
        """Those that exist, oldest first."""
        return sorted(map(_universe, self._universes.fetch(map(self._key, days))), key=lambda universe: universe.day)

    def follow(self, symbol: str, until: int) -> None:
        """Never shortens: refused where the stored end is as late."""
        ends_earlier = self._followed.until.does_not_exist() | (self._followed.until < until)
        self._followed(self._following, symbol, until=until).put_if(ends_earlier)

    def followed(self, now: int) -> tuple[str, ...]:
        """Symbols whose end is not past; the sort key is the symbol."""
        return tuple(item.sk for item in self._followed.select(self._following) if item.until >= now)

    def _key(self, day: str) -> tuple[str, str]:
        return f"{self._source}#{day}", _CATALOGUE

    @property
    def _following(self) -> str:
        """One partition: it holds no more items than the exchange has markets."""
        return f"{self._source}#followed"


def _universe(item: UniverseItem) -> Universe:
    catalogue: dict[str, Any] = item.catalogue
    return Universe(
        day=item.pk.rsplit("#", 1)[1],
        taken_at=int(catalogue["taken_at"]),
        markets=tuple(catalogue["markets"]),
        most_traded={quote: tuple(symbols) for quote, symbols in catalogue["most_traded"].items()},
    )
