"""Trading signals, every one of them checked against what the market then did."""

__version__ = "0.1.0"
