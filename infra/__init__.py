"""Everything around the code: tables, monitoring, the local cloud."""
