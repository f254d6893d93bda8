"""Background processes: ours alone are stopped, and none is left behind."""

import os
import select
import socket
import sys
from pathlib import Path

import pytest

from infra.local.processes import Background, ToolFailed, free_port, run_tool
from plumbline.domain.errors import Unavailable

SLEEPER = [sys.executable, "-c", "import sys, time; print('ready', flush=True); time.sleep(60)", "a-sleeper-of-ours"]


def sleeper(folder: Path, marker: str = "a-sleeper-of-ours") -> Background:
    return Background("sleeper", marker, folder)


def ready(process: Background) -> None:
    process.wait_until(lambda: "ready" in process.log.read_text(), 20)


def test_a_wanted_port_is_given_when_nobody_listens_there() -> None:
    port = free_port(0)
    assert free_port(port) == port


def test_another_port_is_given_when_the_wanted_one_is_taken() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        wanted = taken.getsockname()[1]
        assert free_port(wanted) not in {0, wanted}


def test_a_process_is_found_again_by_its_pid_file_and_stopped(tmp_path: Path) -> None:
    pid = sleeper(tmp_path).start(SLEEPER, os.environ)
    ready(sleeper(tmp_path))
    assert sleeper(tmp_path).pid == pid
    assert sleeper(tmp_path).stop()
    assert sleeper(tmp_path).pid is None
    assert not (tmp_path / "sleeper.pid").exists()


def test_a_process_is_known_where_there_is_no_ps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    pid = sleeper(tmp_path).start(SLEEPER, os.environ)
    assert sleeper(tmp_path).pid == pid
    assert sleeper(tmp_path).stop()


def test_a_process_that_cannot_be_written_down_is_not_left_running(tmp_path: Path) -> None:
    (tmp_path / "sleeper.pid").mkdir()
    reader, writer = os.pipe()
    os.set_inheritable(writer, True)
    with pytest.raises(IsADirectoryError):
        sleeper(tmp_path).start(SLEEPER, os.environ)
    os.close(writer)
    ended, _, _ = select.select([reader], [], [], 10)
    os.close(reader)
    assert ended, "the process still holds its end of the pipe"


def test_stopping_what_does_not_run_does_nothing(tmp_path: Path) -> None:
    assert not sleeper(tmp_path).stop()


def test_a_pid_that_now_belongs_to_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "sleeper.pid").write_text(f"{os.getpid()}\n")
    assert sleeper(tmp_path, "no process has this in its command line").pid is None
    assert not sleeper(tmp_path, "no process has this in its command line").stop()


def test_a_process_that_ignores_the_request_to_stop_is_killed_with_its_children(tmp_path: Path) -> None:
    stubborn = (
        "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, lambda *_: None);"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(60)']);"
        "print('ready', child.pid, flush=True); [time.sleep(1) for _ in range(60)]"
    )
    process = Background("stubborn", "stubborn-of-ours", tmp_path, stop_after=0.2)
    process.start([sys.executable, "-c", stubborn, "stubborn-of-ours"], os.environ)
    ready(process)
    child = os.pidfd_open(int(process.log.read_text().split()[1]))
    assert process.stop()
    ended, _, _ = select.select([child], [], [], 10)
    os.close(child)
    assert ended, "the child still runs"


def test_a_process_that_dies_while_starting_is_reported_with_the_end_of_its_log(tmp_path: Path) -> None:
    process = Background("dying", "dying-of-ours", tmp_path)
    process.start(
        [sys.executable, "-c", "print('the port is taken'); raise SystemExit(3)", "dying-of-ours"], os.environ
    )
    with pytest.raises(Unavailable, match="stopped while starting:\nthe port is taken"):
        process.wait_until(lambda: False, 20)


def test_a_process_that_never_becomes_ready_is_reported(tmp_path: Path) -> None:
    process = sleeper(tmp_path)
    process.start(SLEEPER, os.environ)
    try:
        with pytest.raises(Unavailable, match="did not answer within 0 s"):
            process.wait_until(lambda: False, 0)
    finally:
        process.stop()


def test_a_tool_that_fails_is_reported_with_the_end_of_what_it_said(tmp_path: Path) -> None:
    command = [sys.executable, "-c", "print('no such bucket'); raise SystemExit(2)"]
    with pytest.raises(ToolFailed, match=r"status 2; the whole log is .*tool\.log\nno such bucket"):
        run_tool(command, tmp_path / "tool.log", os.environ, tmp_path)
