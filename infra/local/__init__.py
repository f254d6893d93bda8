"""The local cloud: the `plumbline` command and the market it trades on."""
