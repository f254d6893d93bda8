"""A built function under the Lambda runtime emulator: the real runtime client, the built artefact, no container."""

import json
import os
import re
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from infra.local.cloud import Cloud
from infra.local.processes import free_port, tail
from infra.local.stack import Stack
from infra.local.template import Json, Resolver, default_parameters, read
from infra.local.workspace import Workspace, architecture, require_linux
from plumbline.domain.errors import InvalidInput, NotFound, Unavailable

_PATH = "/2015-03-31/functions/function/invocations"


@dataclass(frozen=True, slots=True)
class Artefact:
    """A function as `sam build` left it."""

    logical_id: str
    handler: str
    code: Path
    layers: tuple[Path, ...]
    memory: int
    timeout: int
    environment: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """One invocation: its payload and the wall time from the request (for the first one: from the start)."""

    payload: Json
    milliseconds: float


def artefact(workspace: Workspace, name: str) -> Artefact:
    """The function by the name of its handler or its logical id; NotFound lists the ones there are."""
    template = read(workspace.built_template)
    resolver = Resolver(template, default_parameters(template) | {"Stage": "local", "Exchange": "simulated"})
    resources = template["Resources"]
    functions = {key: spec for key, spec in resources.items() if spec["Type"] == "AWS::Serverless::Function"}
    defaults = template.get("Globals", {}).get("Function", {})
    for logical, spec in functions.items():
        merged = resolver.resolve(_merged(defaults, spec["Properties"]))
        if name in {logical, merged["Handler"].split(".")[0]}:
            layers = merged.get("Layers", [])
            return Artefact(
                logical_id=logical,
                handler=merged["Handler"],
                code=_folder(workspace, spec["Properties"]["CodeUri"]),
                layers=tuple(_folder(workspace, resources[layer]["Properties"]["ContentUri"]) for layer in layers),
                memory=int(merged.get("MemorySize", 128)),
                timeout=int(merged.get("Timeout", 3)),
                environment={k: str(v) for k, v in merged.get("Environment", {}).get("Variables", {}).items()},
            )
    known = sorted(spec["Properties"]["Handler"].split(".")[0] for spec in functions.values())
    raise NotFound(f"no function {name!r}; there are {', '.join(known)}")


def stack_environment(workspace: Workspace, name: str) -> dict[str, str]:
    """Environment of the deployed function where a stack is up, so that it finds its tables; else nothing."""
    try:
        stack = Stack.load(workspace)
    except NotFound:
        return {}
    if name not in stack.functions:
        return {}
    with Cloud(stack.aws_endpoint) as cloud:
        deployed = cloud.functions.get_function_configuration(FunctionName=stack.functions[name])
    return deployed.get("Environment", {}).get("Variables", {}) | {"AWS_ENDPOINT_URL": stack.aws_endpoint}


def failed(payload: Json) -> bool:
    """Whether an answer is the runtime's report of an error."""
    return isinstance(payload, dict) and "errorType" in payload


def read_event(text: str) -> Json:
    """An event from a file, or from JSON given in place."""
    path = Path(text)
    try:
        return json.loads(path.read_text() if path.is_file() else text)
    except json.JSONDecodeError as exc:
        what = "is not JSON" if path.is_file() else "is neither a file nor JSON"
        raise InvalidInput(f"the event {text!r} {what}: {exc}", field="event") from exc


@contextmanager
def emulator(workspace: Workspace, function: Artefact, environment: Mapping[str, str]) -> Iterator["Emulator"]:
    """A runtime emulator that holds one function; ends with everything it started."""
    port, api_port = free_port(0), free_port(0)
    command: list[str | Path] = [
        _emulator_program(workspace),
        *("--log-level", "error", "--runtime-interface-emulator-address", f"127.0.0.1:{port}"),
        *("--runtime-api-address", f"127.0.0.1:{api_port}"),
        *(workspace.tool("ric", "bin/python"), "-m", "awslambdaric", function.handler),
    ]
    log = workspace.log("invoke")
    with log.open("w") as output:
        began = time.perf_counter()
        process = subprocess.Popen(
            command,
            cwd=function.code,
            env=_function_environment(function, environment),
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
        try:
            yield Emulator(process, f"http://127.0.0.1:{port}{_PATH}", function.timeout, log, began)
        finally:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


class Emulator:
    """One running function. One request at a time: the emulator crashes on two."""

    def __init__(self, process: subprocess.Popen[bytes], url: str, timeout: int, log: Path, began: float) -> None:
        self._process = process
        self._url = url
        self._timeout = timeout
        self._log = log
        self._began: float | None = began

    def invoke(self, event: Json) -> Answer:
        """Send an event; the first answer's time counts from the process start: a cold start."""
        self._wait()
        began = self._began or time.perf_counter()
        self._began = None
        try:
            response = httpx.post(self._url, content=json.dumps(event), timeout=self._timeout + 30)
        except httpx.HTTPError as exc:
            raise Unavailable(f"the function ended without an answer ({exc!r}):\n{tail(self._log)}") from exc
        milliseconds = (time.perf_counter() - began) * 1000
        try:
            return Answer(response.json(), milliseconds)
        except json.JSONDecodeError:
            return Answer(response.text, milliseconds)

    def logs(self) -> str:
        """Everything written so far: the function's lines and START, END and REPORT."""
        text = self._log.read_text(errors="replace")
        return re.sub(r"\n{2,}", "\n", text).strip()

    def _wait(self) -> None:
        port = httpx.URL(self._url).port or 0
        for _ in range(1000):
            if self._process.poll() is not None:
                raise Unavailable(f"the runtime emulator stopped:\n{tail(self._log)}")
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    return
            time.sleep(0.005)
        raise Unavailable(f"the runtime emulator does not listen:\n{tail(self._log)}")


def _function_environment(function: Artefact, environment: Mapping[str, str]) -> dict[str, str]:
    python_path = [str(function.code), *(str(layer / "python") for layer in function.layers)]
    return {
        "PATH": os.defpath,
        "LAMBDA_TASK_ROOT": str(function.code),
        "PYTHONPATH": os.pathsep.join(python_path),
        "AWS_LAMBDA_FUNCTION_NAME": function.logical_id,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout),
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        **function.environment,
        **environment,
    }


def _merged(defaults: Mapping[str, Json], own: Mapping[str, Json]) -> dict[str, Json]:
    # As SAM does: dictionaries merge, lists are joined, everything else is the function's own.
    merged = dict(defaults)
    for key, value in own.items():
        base = merged.get(key)
        if isinstance(base, dict) and isinstance(value, dict) and not _intrinsic(base) and not _intrinsic(value):
            merged[key] = _merged(base, value)
        elif isinstance(base, list) and isinstance(value, list):
            merged[key] = base + value
        else:
            merged[key] = value
    return merged


def _intrinsic(value: Mapping[str, Json]) -> bool:
    return len(value) == 1 and next(iter(value)).startswith(("Ref", "Fn::"))


def _folder(workspace: Workspace, relative: str) -> Path:
    return (workspace.build / relative).resolve()


def _emulator_program(workspace: Workspace) -> Path:
    require_linux()
    machine = architecture()
    folder = workspace.tool("sam", "lib")
    found = sorted(folder.glob(f"python3*/site-packages/samcli/local/rapid/aws-lambda-rie-{machine}"))
    if not found:
        raise NotFound(f"no Lambda runtime emulator for {machine} in {folder}: run `make tools`")
    return found[0]
