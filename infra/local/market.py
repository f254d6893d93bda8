"""The simulated exchange as a background process, and the clock that a replay sets."""

from pathlib import Path

import httpx

from infra.local.processes import Background, python
from infra.local.workspace import Workspace, child_environment
from plumbline.domain.errors import InvalidInput, Unavailable

PORT = 4570
SEED = 7
_CLOCK = "/_simulated/clock"


def background(workspace: Workspace) -> Background:
    """The process, running or not."""
    return Background("exchange", "-m infra.local.exchange", workspace.state)


def recorded_folder(workspace: Workspace) -> Path | None:
    """The folder of recorded candles that PLUMBLINE_MARKET_DATA names, if it does."""
    name = workspace.environment.get("PLUMBLINE_MARKET_DATA")
    if not name:
        return None
    folder = Path(name).resolve()
    if not any(folder.glob("*_1m.csv.gz")):
        raise InvalidInput(f"PLUMBLINE_MARKET_DATA={name}: no <BASE>-<QUOTE>_1m.csv.gz there", field="market data")
    return folder


def start(workspace: Workspace, port: int, data: Path | None, host: str = "127.0.0.1") -> str:
    """Serve a folder of recorded candles, or without one the seeded simulation; returns the address from here."""
    address = f"http://127.0.0.1:{port}"
    served = ["--data", str(data)] if data else ["--seed", str(SEED)]
    process = background(workspace)
    command = [python(), "-m", "infra.local.exchange", "--host", host, "--port", str(port), *served]
    paths = f"{workspace.root}:{workspace.root / 'shared'}"
    process.start(command, child_environment(workspace.environment) | {"PYTHONPATH": paths})
    process.wait_until(lambda: _answers(address))
    return address


class Clock:
    """The simulated exchange's clock: nothing after it exists yet."""

    def __init__(self, address: str) -> None:
        self._http = httpx.Client(base_url=address, timeout=30)

    def set(self, now: int) -> None:
        """Let it be `now` (ms) at the exchange."""
        try:
            self._http.post(_CLOCK, json={"now": now}).raise_for_status()
        except httpx.HTTPError as exc:
            raise Unavailable(f"the exchange's clock at {self._http.base_url} cannot be set: {exc}") from exc

    def close(self) -> None:
        """Let the connection go."""
        self._http.close()


def _answers(address: str) -> bool:
    try:
        return httpx.get(address + _CLOCK, timeout=2).is_success
    except httpx.HTTPError:
        return False
