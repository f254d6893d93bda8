"""The record in depth, as `plumbline report` shows it: tables in a terminal, or one HTML file with charts."""
