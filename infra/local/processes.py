"""Background processes that outlive the command, each known by a pid file, and tools run to their end."""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from plumbline.domain.errors import PlumblineError, Unavailable

_TAIL = 15


class ToolFailed(PlumblineError):
    """A program we ran said no; the message ends with what it said last."""


@dataclass(frozen=True, slots=True)
class Background:
    """A process that goes on when the command ends.

    `marker` is a part of its command line that nothing else has; after `stop_after` seconds a stop becomes a kill.
    """

    name: str
    marker: str
    state: Path
    stop_after: float = 15.0

    @property
    def log(self) -> Path:
        """Where its output goes."""
        return self.state / f"{self.name}.log"

    @property
    def pid(self) -> int | None:
        """Its process id while it runs, else None; a pid that the system gave to somebody else is not ours."""
        try:
            pid = int(self._pid_file.read_text())
        except (FileNotFoundError, ValueError):
            return None
        return self._pid_if_ours(pid)

    def start(self, command: Sequence[str | Path], environment: Mapping[str, str]) -> int:
        """Start it in a session of its own, so that Ctrl-C here does not reach it."""
        self.state.mkdir(parents=True, exist_ok=True)
        words = [str(word) for word in command]
        output = (os.POSIX_SPAWN_OPEN, 1, str(self.log), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o644)
        files = [(os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0), output, (os.POSIX_SPAWN_DUP2, 1, 2)]
        pid = os.posix_spawn(words[0], words, dict(environment), file_actions=files, setsid=True)
        try:
            self._pid_file.write_text(f"{pid}\n")
            self._settle(pid)
        except BaseException:
            # Without its pid file nobody would ever find it again.
            _kill(pid)
            raise
        return pid

    def wait_until(self, ready: Callable[[], bool], seconds: float = 60) -> None:
        """Return once `ready`; Unavailable with the end of the log if it dies or takes too long."""
        end = time.monotonic() + seconds
        while not ready():
            if self.pid is None:
                raise Unavailable(f"{self.name} stopped while starting:\n{tail(self.log)}")
            if time.monotonic() > end:
                raise Unavailable(f"{self.name} did not answer within {seconds:.0f} s:\n{tail(self.log)}")
            time.sleep(0.1)

    def stop(self) -> bool:
        """Stop it and everything it started; False where it was not running."""
        pid = self.pid
        if pid is not None:
            os.kill(pid, signal.SIGTERM)
            end = time.monotonic() + self.stop_after
            while self.pid is not None and time.monotonic() < end:
                time.sleep(0.05)
            _kill(pid)
        self._pid_file.unlink(missing_ok=True)
        return pid is not None

    def _settle(self, pid: int) -> None:
        # For a moment after its start a process has no command line yet, by which it could be known as ours.
        end = time.monotonic() + 1
        while self._pid_if_ours(pid) is None and _exists(pid) and time.monotonic() < end:
            time.sleep(0.01)

    def _pid_if_ours(self, pid: int) -> int | None:
        return pid if self.marker in _command_line(pid) else None

    @property
    def _pid_file(self) -> Path:
        return self.state / f"{self.name}.pid"


def run_tool(command: Sequence[object], log: Path, environment: Mapping[str, str], cwd: Path) -> None:
    """Run a program to its end, output to `log`; ToolFailed shows the log's end."""
    words = [str(word) for word in command]
    with log.open("w") as output:
        done = subprocess.run(words, stdout=output, stderr=output, env=dict(environment), cwd=cwd, check=False)
    if done.returncode:
        short = " ".join([Path(words[0]).name, *words[1:2]])
        raise ToolFailed(f"`{short}` failed with status {done.returncode}; the whole log is {log}\n{tail(log)}")


def free_port(wanted: int) -> int:
    """`wanted` on 127.0.0.1 if nobody listens there, else any free one."""
    for port in (wanted, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise Unavailable("no free port on 127.0.0.1")


def tail(log: Path) -> str:
    """The last lines of a log."""
    with suppress(FileNotFoundError):
        return "\n".join(log.read_text(errors="replace").splitlines()[-_TAIL:])
    return ""


def remove(folder: Path) -> None:
    """Remove a folder, also while somebody still writes into it."""
    shutil.rmtree(folder, ignore_errors=True)


def python() -> str:
    """The interpreter that runs this command."""
    return sys.executable


def _exists(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def _command_line(pid: int) -> str:
    _reap(pid)
    # Slim images have no `ps`; macOS has no /proc.
    if Path("/proc/self/cmdline").exists():
        with suppress(OSError):
            return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace").strip()
        return ""
    shown = subprocess.run(["ps", "-ww", "-o", "args=", "-p", str(pid)], capture_output=True, text=True, check=False)
    return shown.stdout.strip()


def _kill(pid: int) -> None:
    with suppress(ProcessLookupError):
        os.killpg(pid, signal.SIGKILL)
    _reap(pid)


def _reap(pid: int) -> None:
    # Started by this very process, it stays a zombie until we ask for its status; otherwise it is not our child.
    with suppress(ChildProcessError):
        os.waitpid(pid, os.WNOHANG)
