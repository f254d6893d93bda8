"""How a digest is told: as an e-mail, as plain text, for Telegram, as JSON and as a table of figures."""
