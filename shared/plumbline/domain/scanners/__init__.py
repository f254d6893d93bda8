"""The methods that find signals, each a module here. A new one is its module and its line in `SCANNERS`."""

from collections.abc import Mapping

from plumbline.domain.scanners.model import MODEL
from plumbline.domain.scanners.mss import MSS
from plumbline.domain.scanners.scanner import Scanner, Scene, Votes
from plumbline.domain.scanners.smart_money import SMART_MONEY
from plumbline.domain.scanners.technical import STRATEGY_TYPES, TECHNICAL

SCANNERS: Mapping[str, Scanner] = {scanner.name: scanner for scanner in (TECHNICAL, SMART_MONEY, MSS, MODEL)}

__all__ = ["SCANNERS", "STRATEGY_TYPES", "Scanner", "Scene", "Votes"]
