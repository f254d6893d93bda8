"""DynamoDB for measurements: MiniStack, which counts writes by size and index as AWS does, in a folder of its own."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import boto3

from infra.local import ministack
from infra.local.processes import free_port
from infra.local.workspace import Workspace
from plumbline.adapters.tables import Tables, open_tables
from tests.tables import create_tables

PREFIX = "plumbline-bench"


@contextmanager
def tables() -> Iterator[Tables]:
    """Empty tables, gone afterwards."""
    with endpoint() as address:
        yield open_tables(PREFIX, region="us-east-1", host=address)


@contextmanager
def endpoint() -> Iterator[str]:
    """Address of a MiniStack with empty tables, gone afterwards."""
    os.environ |= {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test", "AWS_DEFAULT_REGION": "us-east-1"}
    with tempfile.TemporaryDirectory() as folder:
        workspace = replace(Workspace.of(os.environ), state=Path(folder))
        address = ministack.start(workspace, free_port(0))
        try:
            create_tables(boto3.client("dynamodb", endpoint_url=address), PREFIX)
            yield address
        finally:
            ministack.stop(workspace)
