"""The template, the models and the page about them say the same."""

from dataclasses import fields
from pathlib import Path

import pytest

from plumbline.adapters.feed_items import EXPIRATION
from plumbline.adapters.items import Item
from plumbline.adapters.tables import Tables, open_tables
from tests.tables import table_definitions, table_resources

PREFIX = "plumbline-test"
DEFINED = {each["TableName"]: each for each in table_definitions(PREFIX)}
PAGE = Path(__file__).parents[2] / "docs" / "tables.md"


def models(opened: Tables) -> list[type[Item]]:
    return [getattr(opened, f.name) for f in fields(Tables) if f.name != "connection"]


MODELS = models(open_tables(PREFIX))


@pytest.mark.parametrize("model", MODELS, ids=lambda model: model.__name__)
def test_a_model_has_the_keys_and_indexes_of_its_table(model: type[Item]) -> None:
    table = DEFINED[model.Meta.table_name]
    assert [(key["AttributeName"], key["KeyType"]) for key in table["KeySchema"]] == [("pk", "HASH"), ("sk", "RANGE")]
    defined = {
        index["IndexName"]: (index["KeySchema"], index["Projection"])
        for index in table.get("GlobalSecondaryIndexes", [])
    }
    assert indexes_of(model) in (defined, {})  # only one of the kinds of item in a table needs them


def indexes_of(model: type[Item]) -> dict[str, object]:
    """Index name, key schema and projection, as PynamoDB would create them."""
    return {
        each["index_name"]: (
            sorted(
                ({"AttributeName": key["AttributeName"], "KeyType": key["KeyType"]} for key in each["key_schema"]),
                key=lambda key: key["KeyType"],
            ),
            {"ProjectionType": each["projection"]["ProjectionType"]},
        )
        for each in model._get_schema()["global_secondary_indexes"]
    }


@pytest.mark.parametrize("name", ["signals", "closed_trades"])
def test_the_indexes_of_signals_and_closed_trades_are_modelled(name: str) -> None:
    assert set(indexes_of(getattr(open_tables(PREFIX), name))) == {"by-symbol", "by-channel"}


def test_what_the_live_feed_tells_of_is_streamed_as_it_was_written() -> None:
    streams = {name: table["Properties"].get("StreamSpecification") for name, table in table_resources().items()}
    view = {"StreamViewType": "NEW_IMAGE"}
    assert {name for name, stream in streams.items() if stream} == {"signals", "positions", "trades"}
    assert all(stream in (None, view) for stream in streams.values())


def test_what_expires_lies_in_tables_that_drop_it_and_go_with_their_stack() -> None:
    expiring = {
        model.Meta.table_name.removeprefix(f"{PREFIX}-")
        for model in MODELS
        if EXPIRATION in {attribute.attr_name for attribute in model.get_attributes().values()}
    }
    dropping = {
        name: table["Properties"]["TimeToLiveSpecification"]
        for name, table in table_resources().items()
        if "TimeToLiveSpecification" in table["Properties"]
    }
    assert set(dropping) == expiring | {"idempotency"} == {"feed", "connections", "idempotency"}
    assert all(each == {"AttributeName": EXPIRATION, "Enabled": True} for each in dropping.values())
    assert {table_resources()[name]["DeletionPolicy"] for name in dropping} == {"Delete"}


def test_only_what_is_derived_or_passes_goes_with_its_stack() -> None:
    gone = {name for name, table in table_resources().items() if table["DeletionPolicy"] == "Delete"}
    assert gone == {"rollups", "feed", "connections", "idempotency"}


def test_every_table_is_modelled_but_the_one_that_powertools_fills() -> None:
    assert {model.Meta.table_name for model in MODELS} == set(DEFINED) - {f"{PREFIX}-idempotency"}


def test_no_two_attributes_of_an_item_share_a_name() -> None:
    for model in MODELS:
        names = [attribute.attr_name for attribute in model.get_attributes().values()]
        assert len(names) == len(set(names)), model


def test_every_table_is_on_demand() -> None:
    assert {table["BillingMode"] for table in DEFINED.values()} == {"PAY_PER_REQUEST"}


@pytest.mark.parametrize("name", sorted(DEFINED))
def test_the_page_about_the_tables_names_each(name: str) -> None:
    assert f"\n| {name.removeprefix(PREFIX + '-')} |" in PAGE.read_text()


def test_two_stacks_in_one_process_keep_their_own_tables() -> None:
    one, two = open_tables("plumbline-one"), open_tables("plumbline-two")
    assert (one.signals.Meta.table_name, two.signals.Meta.table_name) == (
        "plumbline-one-signals",
        "plumbline-two-signals",
    )


def test_all_tables_of_a_stack_share_one_connection(tables: Tables) -> None:
    assert {id(model._get_connection().connection) for model in models(tables)} == {id(tables.connection)}
