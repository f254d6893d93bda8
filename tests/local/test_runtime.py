"""A built function is found by name, with what SAM would give it."""

import json
from pathlib import Path

import pytest

from infra.local.runtime import artefact, failed, read_event
from infra.local.workspace import Workspace
from plumbline.domain.errors import InvalidInput, NotFound

TEMPLATE = """
Parameters: {Stage: {Type: String, Default: dev}}
Globals:
  Function:
    MemorySize: 512
    Environment: {Variables: {STAGE: !Ref Stage, LEVEL: INFO}}
    Layers: [!Ref SharedLayer]
Resources:
  SharedLayer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: SharedLayer}}
  ModelLayer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: ModelLayer}}
  CheckOutcomes:
    Type: AWS::Serverless::Function
    Properties:
      Handler: check_outcomes.handler
      CodeUri: CheckOutcomes
      Timeout: 300
      Environment: {Variables: {LEVEL: DEBUG}}
      Layers: [!Ref ModelLayer]
"""


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    workspace = Workspace(tmp_path, tmp_path, {})
    workspace.build.mkdir(parents=True)
    workspace.built_template.write_text(TEMPLATE)
    return workspace


@pytest.mark.parametrize("name", ["check_outcomes", "CheckOutcomes"])
def test_a_function_is_found_by_its_handler_and_by_its_logical_id(workspace: Workspace, name: str) -> None:
    found = artefact(workspace, name)
    assert (found.handler, found.memory, found.timeout) == ("check_outcomes.handler", 512, 300)
    assert found.code == workspace.build / "CheckOutcomes"


def test_what_all_functions_share_is_merged_with_the_functions_own(workspace: Workspace) -> None:
    found = artefact(workspace, "check_outcomes")
    assert found.environment == {"STAGE": "local", "LEVEL": "DEBUG"}
    assert found.layers == (workspace.build / "SharedLayer", workspace.build / "ModelLayer")


def test_an_unknown_function_names_the_known_ones(workspace: Workspace) -> None:
    with pytest.raises(NotFound, match="no function 'check'; there are check_outcomes"):
        artefact(workspace, "check")


def test_an_event_is_read_from_a_file_or_in_place(tmp_path: Path) -> None:
    event = {"interval": "1h"}
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event))
    assert read_event(str(file)) == read_event('{"interval": "1h"}') == event


@pytest.mark.parametrize(("text", "complaint"), [("no-such-file.json", "neither a file nor JSON"), ("{", "neither")])
def test_what_is_neither_a_file_nor_json_is_refused(text: str, complaint: str) -> None:
    with pytest.raises(InvalidInput, match=complaint):
        read_event(text)


def test_only_the_runtimes_own_report_counts_as_a_failure() -> None:
    assert failed({"errorType": "InvalidInput", "errorMessage": "x"})
    assert not failed({"stored": 0, "failed": 0})
    assert not failed([1])
