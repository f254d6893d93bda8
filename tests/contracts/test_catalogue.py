from dataclasses import replace

import pytest

from plumbline.domain.strategies import DEFAULT_CHANNELS, Activation
from plumbline.ports import Stores, Universe
from tests.builders import NOON, a_configuration

MOMENTUM = "momentum-alpha"
UNIVERSE = Universe(
    day="2026-11-20",
    markets=("BTC/USDT", "BTC/USDT:USDT", "ETH/USDT"),
    most_traded={"USDT": ("ETH/USDT", "BTC/USDT"), "EUR": ()},
)


def test_a_snapshot_is_stored_once_and_comes_back_equal(stores: Stores) -> None:
    saved = a_configuration(excluded_symbols=("LUNA/USDT",), cooldown_bars=0)
    assert stores.strategies.save(saved)
    assert not stores.strategies.save(saved)
    assert stores.strategies.get(MOMENTUM, saved.config_hash) == saved


def test_snapshots_of_other_content_stand_beside_each_other(stores: Stores) -> None:
    first, second = a_configuration(), a_configuration(cooldown_bars=3)
    assert [stores.strategies.save(first), stores.strategies.save(second)] == [True, True]
    assert stores.strategies.get(MOMENTUM, first.config_hash) == first


def test_an_unknown_snapshot_is_none(stores: Stores) -> None:
    assert stores.strategies.get(MOMENTUM, "0" * 64) is None


def test_activations_come_oldest_first_and_only_their_strategys(stores: Stores) -> None:
    def activation(moment: int, strategy: str = MOMENTUM) -> Activation:
        return Activation(strategy=strategy, config_hash="a" * 64, active_from=moment, notes="trial")

    stores.strategies.save(a_configuration())
    for each in (activation(NOON), activation(5), activation(NOON - 1), activation(NOON, "reversion-beta")):
        assert stores.strategies.activate(each)
    assert stores.strategies.activations(MOMENTUM) == [activation(5), activation(NOON - 1), activation(NOON)]
    assert stores.strategies.activations("nobody") == []


def test_a_moment_has_one_activation(stores: Stores) -> None:
    first = Activation(strategy=MOMENTUM, config_hash="a" * 64, active_from=NOON)
    assert stores.strategies.activate(first)
    assert not stores.strategies.activate(replace(first, config_hash="b" * 64))
    assert stores.strategies.activations(MOMENTUM) == [first]


def test_channels_are_stored_once_and_listed_by_id(stores: Stores) -> None:
    own = replace(DEFAULT_CHANNELS[0], channel_id="a-channel", symbols=("BTC/USDT", "ETH/USDT"), max_lag=1)
    for channel in (*DEFAULT_CHANNELS, own):
        assert stores.channels.add(channel)
    assert not stores.channels.add(replace(own, name="another name"))
    assert stores.channels.all() == [own, *sorted(DEFAULT_CHANNELS, key=lambda channel: channel.channel_id)]


def test_a_day_has_one_catalogue(stores: Stores) -> None:
    assert stores.markets.add(UNIVERSE)
    assert not stores.markets.add(replace(UNIVERSE, markets=()))
    assert stores.markets.on(["2026-11-20"]) == [UNIVERSE]


def test_catalogues_come_oldest_first_and_missing_days_are_left_out(stores: Stores) -> None:
    later = replace(UNIVERSE, day="2026-11-22")
    stores.markets.add(later)
    stores.markets.add(UNIVERSE)
    assert stores.markets.on(["2026-11-22", "2026-11-21", "2026-11-20", "2026-11-20"]) == [UNIVERSE, later]
    assert stores.markets.on([]) == []


@pytest.mark.parametrize("ends", [(NOON, NOON - 5), (NOON - 5, NOON), (NOON, NOON)])
def test_following_never_ends_earlier_than_promised(stores: Stores, ends: tuple[int, int]) -> None:
    for end in ends:
        stores.markets.follow("DOGE/USDT", end)
    stores.markets.follow("ADA/USDT", NOON + 1)
    assert stores.markets.followed(NOON) == ("ADA/USDT", "DOGE/USDT")
    assert stores.markets.followed(NOON + 1) == ("ADA/USDT",)
    assert stores.markets.followed(NOON + 2) == ()
