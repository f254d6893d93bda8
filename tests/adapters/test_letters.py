import json

import boto3
import pytest
from moto import mock_aws

from plumbline.adapters.letters import QueuedLetters

RECORD = {"eventName": "INSERT", "dynamodb": {"NewImage": {"pk": {"S": "?"}}}}


@pytest.fixture
def region(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")


def test_a_letter_is_queued_with_its_reason_and_logged(region: None, caplog: pytest.LogCaptureFixture) -> None:
    with mock_aws():
        queue = boto3.client("sqs")
        url = queue.create_queue(QueueName="dead-letters")["QueueUrl"]
        QueuedLetters(url).keep(RECORD, "KeyError: 'sk'")
        (letter,) = queue.receive_message(QueueUrl=url)["Messages"]
    assert json.loads(letter["Body"]) == {"reason": "KeyError: 'sk'", "record": RECORD}
    assert "a record cannot be read" in caplog.text


def test_without_a_queue_the_log_has_it(caplog: pytest.LogCaptureFixture) -> None:
    QueuedLetters("").keep(RECORD, "KeyError: 'sk'")
    assert json.dumps(RECORD) in caplog.text


def test_a_queue_that_is_away_costs_nothing(region: None, caplog: pytest.LogCaptureFixture) -> None:
    with mock_aws():
        QueuedLetters("https://sqs.us-east-1.amazonaws.com/123456789012/nowhere").keep(RECORD, "KeyError: 'sk'")
    assert json.dumps(RECORD) in caplog.text
    assert "did not take it" in caplog.text
