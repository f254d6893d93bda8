"""A market on this machine that speaks Binance's public REST: a seeded simulation or a folder of recorded candles."""

from infra.local.exchange.market import Market, Pair
from infra.local.exchange.recorded import RecordedMarket
from infra.local.exchange.server import ExchangeServer
from infra.local.exchange.simulated import SimulatedMarket

__all__ = ["ExchangeServer", "Market", "Pair", "RecordedMarket", "SimulatedMarket"]
