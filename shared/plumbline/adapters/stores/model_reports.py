"""The model's daily reports in DynamoDB, beside the rollups: one item a day, a year of a model in one partition."""

import json
import zlib
from dataclasses import asdict
from typing import Any

from plumbline.adapters.tables import RollupItem
from plumbline.domain.drift import ModelReport


class DynamoModelReports:
    """ports.ModelReports. Eventually consistent, as all that is derived."""

    def __init__(self, items: type[RollupItem], source: str) -> None:
        self._items = items
        self._source = source

    def put(self, report: ModelReport) -> None:
        """One item, replaced whole."""
        content = zlib.compress(json.dumps(asdict(report), sort_keys=True, allow_nan=False).encode(), 9)
        key = self._partition(report.model, report.day[:4]), report.day
        self._items(*key, version=0, through=0, cells=content).put()

    def latest(self, model: str, until: str) -> ModelReport | None:
        """One query; a second where this year has none yet."""
        year = int(until[:4])
        for partition in (self._partition(model, str(year)), self._partition(model, str(year - 1))):
            stored = self._items.select(
                partition, self._items.sk <= until, newest_first=True, consistent=False, page_size=1
            )
            for item in stored:
                return _report(json.loads(zlib.decompress(item.cells)))
        return None

    def _partition(self, model: str, year: str) -> str:
        return f"{self._source}#model#{model}#{year}"


def _report(content: dict[str, Any]) -> ModelReport:
    return ModelReport(**{**content, "symbols": tuple(content["symbols"])})
