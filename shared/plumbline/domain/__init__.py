"""The business in plain values: standard library and numpy, no clock, no randomness, no environment."""
