"""The only code that knows a vendor; each module implements ports of `plumbline.ports`."""
