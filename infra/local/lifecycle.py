"""Up and down: the local AWS, the market and the stack, in the order in which they need each other."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from infra.local import market, ministack
from infra.local.build import build
from infra.local.cloud import Cloud
from infra.local.processes import free_port
from infra.local.stack import NAME, Stack, Wanted, deploy, remove, stack_file
from infra.local.workspace import Workspace, require_linux
from plumbline.domain.errors import InvalidInput, NotFound, Unavailable

SIMULATED, RECORDED = "simulated", "recorded"
"""The markets of the simulated exchange; every other name is a ccxt id, a live market."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Options:
    """What `up` was asked for. `endpoint`: a cloud that already runs; `exchange`: a ccxt id, or by the data.

    `exchange_url` is our market's address as the functions see it, where they run in containers;
    `parameters` are further parameters of the template.
    """

    endpoint: str | None = None
    exchange: str | None = None
    exchange_url: str | None = None
    schedules: bool = True
    parameters: Mapping[str, str] = field(default_factory=dict)


def up(workspace: Workspace, options: Options, say: Callable[[str], None]) -> Stack:
    """Bring everything up, or bring what is up to the state of the checkout; its data stays."""
    if not options.endpoint:
        require_linux()
    workspace.tool("sam", "bin/sam")
    data = market.recorded_folder(workspace)
    exchange = _exchange(options.exchange, data)
    # A recorded market has no present: a schedule that runs with the wall clock would find nothing there.
    schedules = options.schedules and exchange != RECORDED
    before = _running(workspace)
    if before:
        _require_same_market(before, exchange, schedules=schedules)
    # Functions in containers reach this machine by another address than 127.0.0.1.
    host = "0.0.0.0" if options.exchange_url else "127.0.0.1"  # noqa: S104  # asked for by naming such an address
    address = _market(workspace, exchange, data, before, host, say)
    endpoint = options.endpoint or _cloud(workspace, before, say)
    if options.endpoint and not ministack.healthy(endpoint):
        raise Unavailable(f"no MiniStack or LocalStack answers at {endpoint}: start it, or leave --endpoint out")
    say("Building the functions and layers (`sam build`)")
    if not build(workspace):
        say("  nothing has changed since the last build")
    say(f"Deploying template.yaml to {endpoint} (`sam deploy`)")
    wanted = Wanted(
        endpoint=endpoint,
        exchange=exchange,
        exchange_url=address,
        exchange_seen_as=options.exchange_url or address,
        schedules=schedules,
        ours=options.endpoint is None,
        parameters=options.parameters,
    )
    stack = deploy(workspace, wanted)
    stack.save(workspace)
    return stack


def down(workspace: Workspace) -> list[str]:
    """Stop what runs, remove what is temporary; returns what was stopped. Safe where nothing runs."""
    stopped = []
    with suppress(NotFound):
        stack = Stack.load(workspace)
        if not stack.ours and ministack.healthy(stack.aws_endpoint):
            with Cloud(stack.aws_endpoint) as cloud:
                remove(cloud, NAME, stack.tables)
            stopped.append(f"stack {NAME} at {stack.aws_endpoint}")
    stopped += ["MiniStack"] if ministack.stop(workspace) else []
    stopped += ["exchange"] if market.background(workspace).stop() else []
    stack_file(workspace).unlink(missing_ok=True)
    return stopped


def _running(workspace: Workspace) -> Stack | None:
    # Without a readable stack.json an earlier `up` did not get far: what it left is started anew.
    with suppress(NotFound):
        return Stack.load(workspace)
    return None


def _require_same_market(before: Stack, exchange: str, *, schedules: bool) -> None:
    """One stack keeps one record, of one market, by one clock: its cursors cannot go back, nor leap over years."""
    clocks = {True: "the wall clock", False: "a replay's clock"}
    was, wanted = (before.exchange, before.schedules), (exchange, schedules)
    if was != wanted:
        raise InvalidInput(
            f"this stack's market is {was[0]} by {clocks[was[1]]}, and {wanted[0]} by {clocks[wanted[1]]} is wanted: "
            "run `plumbline down` first"
        )


def _exchange(named: str | None, data: Path | None) -> str:
    exchange = named or (RECORDED if data else SIMULATED)
    if data and exchange != RECORDED:
        raise InvalidInput(
            f"the market is to be {exchange}, and PLUMBLINE_MARKET_DATA={data} names recorded candles: leave one out",
            field="exchange",
        )
    if exchange == RECORDED and not data:
        raise InvalidInput(
            "a recorded market needs a folder of candles: set PLUMBLINE_MARKET_DATA=<folder>", field="exchange"
        )
    return exchange


def _cloud(workspace: Workspace, before: Stack | None, say: Callable[[str], None]) -> str:
    process = ministack.background(workspace)
    if before and before.ours and process.pid:
        # Its data lives in memory: while it lives it is waited for, however long a busy machine takes.
        process.wait_until(lambda: ministack.healthy(before.aws_endpoint))
        say(f"MiniStack is running at {before.aws_endpoint}")
        return before.aws_endpoint
    ministack.stop(workspace)
    port = _port(workspace, "PLUMBLINE_PORT", ministack.PORT, say)
    say(f"Starting MiniStack at http://127.0.0.1:{port}")
    return ministack.start(workspace, port)


def _market(
    workspace: Workspace,
    exchange: str,
    data: Path | None,
    before: Stack | None,
    host: str,
    say: Callable[[str], None],
) -> str | None:
    process = market.background(workspace)
    if exchange not in {SIMULATED, RECORDED}:
        process.stop()
        say(f"The market is {exchange}, live")
        return None
    # Its port is part of what is deployed; the process itself may serve other data by now, so it always starts anew.
    port = urlsplit(before.exchange_url or "").port if before and process.pid else None
    process.stop()
    port = port or _port(workspace, "PLUMBLINE_EXCHANGE_PORT", market.PORT, say)
    served = f"the recorded candles in {data}" if data else f"a simulated market, seed {market.SEED}"
    say(f"Starting the exchange at http://127.0.0.1:{port}: {served}")
    return market.start(workspace, port, data, host)


def _port(workspace: Workspace, variable: str, usual: int, say: Callable[[str], None]) -> int:
    text = workspace.environment.get(variable) or str(usual)
    if not text.isdecimal() or not 0 < int(text) < 65536:
        raise InvalidInput(f"{variable}={text!r} is not a port", field=variable)
    port = free_port(int(text))
    if port != int(text):
        say(f"Port {text} is taken, so {port} is used ({variable} names another)")
    return port
