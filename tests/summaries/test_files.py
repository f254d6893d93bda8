import csv
import io
import json
from dataclasses import replace

from plumbline.domain.digest import dump_digest
from plumbline.summaries.files import COLUMNS, csv_file, json_file
from tests.digest_builders import a_digest


def rows() -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(csv_file(a_digest())))]


def value(section: str, name: str, figure: str) -> str:
    [found] = [r["value"] for r in rows() if (r["section"], r["name"], r["figure"]) == (section, name, figure)]
    return found


def test_json_holds_what_is_kept_to_the_last_figure() -> None:
    assert json.loads(json_file(a_digest())) == json.loads(dump_digest(a_digest()))


def test_every_line_of_the_table_names_its_period() -> None:
    assert csv_file(a_digest()).splitlines()[0] == ",".join(COLUMNS)
    assert {(r["kind"], r["first_day"], r["last_day"]) for r in rows()} == {("daily", "2026-11-20", "2026-11-20")}


def test_one_figure_a_line_and_each_once() -> None:
    keys = [(r["section"], r["name"], r["figure"]) for r in rows()]
    assert len(keys) == len(set(keys)) > 100


def test_figures_are_plain_numbers_and_what_is_unknown_is_empty() -> None:
    assert value("trades", "all", "figures.net.total_pnl_usd") == "9.37"
    assert value("trades", "all", "figures.net.rate.win_rate") == "61.5385"
    assert value("interval", "24h", "checked") == "33"
    assert value("best", "id-SOL/USDT-LONG", "pnl_pct") == "11.42"
    assert value("day", "2026-11-20", "net_pnl_usd") == "9.37"
    assert value("configuration", "91c2d7aa" * 8, "net.rate.win_rate") == ""


def test_a_name_that_a_spreadsheet_would_compute_is_only_a_name() -> None:
    digest = a_digest()
    channel = replace(digest.channels[0], name="=HYPERLINK(0)")
    assert ",'=HYPERLINK(0)," in csv_file(replace(digest, channels=(channel,)))
