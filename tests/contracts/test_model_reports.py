from dataclasses import replace
from typing import Any

import pytest

from plumbline.adapters.stores import stores_over
from plumbline.adapters.tables import Tables
from plumbline.domain.drift import ModelReport
from plumbline.domain.performance import DayRollup
from plumbline.domain.policy import FEATURES
from plumbline.ports import Stores
from tests.builders import NOON
from tests.capacity import CapacityMeter

TODAY = "2026-11-20"


def a_report(day: str = TODAY, **changes: Any) -> ModelReport:
    typical: dict[str, Any] = {
        "day": day,
        "days": 30,
        "model": "policy",
        "version": "1.0.0",
        "model_hash": "a" * 64,
        "symbols": ("BTC/USDT", "ETH/USDT"),
        "examples": 34_560,
        "psi": {name: 0.1 / (i + 3) for i, name in enumerate(FEATURES)},
        "log_loss": 1.0461 + 1e-16,
        "prior_log_loss": 1.0986122886681098,
        "skill": 0.1 + 0.2,
        "skill_low": -1e-12,
        "skill_high": 0.0,
        "brier": 0.63,
        "calibration_error": 0.0123,
        "acted": 117,
        "hits": 61,
        "stated": 0.6789,
        "earns_its_place": True,
    }
    return ModelReport(**(typical | changes))


def test_a_report_comes_back_equal_in_every_field(stores: Stores) -> None:
    report = a_report()
    stores.model_reports.put(report)
    found = stores.model_reports.latest("policy", TODAY)
    assert found == report
    assert isinstance(found.symbols, tuple)


def test_a_report_on_nothing_comes_back_too(stores: Stores) -> None:
    empty = a_report(symbols=(), psi={}, examples=0, acted=0, hits=0, earns_its_place=False)
    stores.model_reports.put(empty)
    assert stores.model_reports.latest("policy", TODAY) == empty


def test_without_a_report_there_is_none(stores: Stores) -> None:
    assert stores.model_reports.latest("policy", TODAY) is None


@pytest.mark.parametrize(
    ("until", "expected"),
    [
        ("2026-11-21", TODAY),
        (TODAY, TODAY),
        ("2026-11-19", "2026-11-09"),
        ("2026-11-09", "2026-11-09"),
        ("2026-11-08", "2026-01-01"),
        ("2026-01-01", "2026-01-01"),
    ],
)
def test_the_newest_of_a_day_or_before_is_found_in_whatever_order_they_came(
    stores: Stores, until: str, expected: str
) -> None:
    for day in (TODAY, "2026-01-01", "2026-11-09"):
        stores.model_reports.put(a_report(day))
    assert stores.model_reports.latest("policy", until) == a_report(expected)


def test_the_turn_of_a_year_hides_no_report(stores: Stores) -> None:
    stores.model_reports.put(a_report("2025-12-30"))
    stores.model_reports.put(a_report("2025-12-31"))
    assert stores.model_reports.latest("policy", "2026-01-01") == a_report("2025-12-31")
    assert stores.model_reports.latest("policy", "2025-12-30") == a_report("2025-12-30")
    stores.model_reports.put(a_report("2026-01-01"))
    assert stores.model_reports.latest("policy", "2026-01-02") == a_report("2026-01-01")
    assert stores.model_reports.latest("policy", "2025-12-31") == a_report("2025-12-31")


def test_a_day_before_the_first_report_has_none(stores: Stores) -> None:
    stores.model_reports.put(a_report())
    assert stores.model_reports.latest("policy", "2026-11-19") is None
    assert stores.model_reports.latest("policy", "2025-11-20") is None


def test_what_another_model_did_is_not_seen(stores: Stores) -> None:
    stores.model_reports.put(a_report(model="policy-simulated"))
    stores.model_reports.put(a_report(model="pol"))
    stores.model_reports.put(a_report("2026-11-01"))
    assert stores.model_reports.latest("policy", TODAY) == a_report("2026-11-01")
    assert stores.model_reports.latest("policy-simulated", TODAY) == a_report(model="policy-simulated")


def test_computing_a_day_again_replaces_its_report_whole(stores: Stores) -> None:
    stores.model_reports.put(a_report())
    again = a_report(version="1.0.1", psi={"rsi": 0.3}, symbols=())
    stores.model_reports.put(again)
    assert stores.model_reports.latest("policy", TODAY) == again


def test_two_sources_on_the_same_tables_do_not_see_each_others_reports(tables: Tables) -> None:
    simulated, live = stores_over(tables, "simulated"), stores_over(tables, "binance")
    simulated.model_reports.put(a_report())
    assert live.model_reports.latest("policy", TODAY) is None
    live.model_reports.put(a_report(version="2"))
    assert simulated.model_reports.latest("policy", TODAY) == a_report()


def test_reports_and_rollups_share_a_table_and_nothing_else(stores: Stores) -> None:
    stores.model_reports.put(a_report())
    assert stores.rollups.days([TODAY], ["all", "model"]) == []
    stores.rollups.put(DayRollup(TODAY, NOON, {}), 1)
    assert stores.model_reports.latest("policy", TODAY) == a_report()


def test_the_same_report_leaves_the_same_bytes_and_costs_one_write_and_one_read(tables: Tables, dynamo: Stores) -> None:
    report = a_report()
    shuffled = replace(report, psi=dict(reversed([*report.psi.items()])))
    stored = []
    for each in (report, shuffled):
        with CapacityMeter(tables) as meter:
            dynamo.model_reports.put(each)
        assert meter.requests == {"PutItem": 1}
        stored += [bytes(item.cells) for item in tables.rollups.select("simulated#model#policy#2026")]
    assert stored[0] == stored[1]
    with CapacityMeter(tables) as meter:
        dynamo.model_reports.latest("policy", TODAY)
    assert meter.requests == {"Query": 1}
