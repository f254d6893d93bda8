"""What the README says is what there is."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]
TARGETS = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def test_the_readme_lists_every_function_and_no_other() -> None:
    listed = set(re.findall(r"^\| \[`(\w+)`\]", (ROOT / "README.md").read_text(), re.MULTILINE))
    handlers = {path.stem for path in (ROOT / "functions").glob("*.py")}
    assert listed == handlers | {"api"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text()):
        assert (page.parent / target).exists(), target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_that_is_named_exists(page: Path) -> None:
    for target in re.findall(r"(?:^|`)make ([a-z]+)", page.read_text(), re.MULTILINE):
        assert target in TARGETS, target


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_plumbline_command_that_is_named_exists(page: Path) -> None:
    source = (ROOT / "infra" / "local" / "command.py").read_text()
    commands = set(re.findall(r"@app\.command\(\)\ndef (\w+)", source))
    for command in re.findall(r"(?:bin/|`)plumbline (\w+)", page.read_text()):
        assert command in commands, command
