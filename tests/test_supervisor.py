"""A command ends with the process that asked for it, and so does all that it started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.processes import is_gone
from wandb_repro import supervisor
from wandb_repro.process_group import start_supervised

CALLER = """
import os, pathlib, subprocess, sys
from wandb_repro.process_group import start_supervised
command = [sys.executable, *sys.argv[1:]]
process = start_supervised(
    command, cwd=pathlib.Path.cwd(), environment=os.environ, grace_s=1, stdout=1, stderr=2
)
process.wait()
"""

FAMILY = """
import os, pathlib, subprocess, sys, time
waits = [sys.executable, "-c", "import time; time.sleep(60)"]
child = subprocess.Popen(waits)
other_session = subprocess.Popen(waits, start_new_session=True)
reads, writes = os.pipe()
if os.fork() == 0:
    os.setsid()
    daemon = os.fork()
    if daemon:
        os.write(writes, str(daemon).encode())
        os._exit(0)
    time.sleep(60)
    os._exit(0)
os.wait()
numbers = [os.getpid(), child.pid, other_session.pid, int(os.read(reads, 20))]
pathlib.Path("new").write_text(" ".join(map(str, numbers)))
pathlib.Path("new").rename("family")
try:
    time.sleep(60)
finally:
    pathlib.Path("closed").touch()
"""

STUBBORN = "import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n" + FAMILY


def _wait_for(true: Callable[[], bool], what: str) -> None:
    deadline = time.monotonic() + 30
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


def _family(folder: Path) -> list[int]:
    _wait_for((folder / "family").is_file, "the command did not start")
    return [int(number) for number in (folder / "family").read_text().split()]


def _caller(folder: Path, script: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, "-c", CALLER, "-c", script], cwd=folder)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGQUIT, signal.SIGTERM])
def test_a_killed_caller_takes_everything_with_it(tmp_path: Path, number: int) -> None:
    with _caller(tmp_path, FAMILY) as caller:
        family = _family(tmp_path)
        caller.send_signal(number)
    for process in family:
        _wait_for(lambda process=process: is_gone(process), f"{process} of {family} is left")
    assert (tmp_path / "closed").exists(), "the command could not close anything"


def test_a_command_that_ignores_the_interrupt_is_killed(tmp_path: Path) -> None:
    with _caller(tmp_path, STUBBORN) as caller:
        family = _family(tmp_path)
        caller.kill()
    for process in family:
        _wait_for(lambda process=process: is_gone(process), f"{process} of {family} is left")


def _started(folder: Path, script: str) -> subprocess.Popen[bytes]:
    return start_supervised(
        [sys.executable, "-c", script],
        cwd=folder,
        environment=os.environ,
        grace_s=1,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )


def test_a_killed_supervisor_takes_the_command_with_it(tmp_path: Path) -> None:
    with _started(tmp_path, FAMILY.replace("60", "5")) as process:
        command = _family(tmp_path)[0]
        process.kill()
        _wait_for(lambda: is_gone(command), "the command is left")
        assert not (tmp_path / "closed").exists(), "it ended by itself"


def test_the_end_of_the_thread_that_started_it_ends_nothing(tmp_path: Path) -> None:
    started: list[subprocess.Popen[bytes]] = []
    script = "import sys; print('on', flush=True); sys.stdin.read(); print('done')"

    def start() -> None:
        process = start_supervised(
            [sys.executable, "-c", script],
            cwd=tmp_path,
            environment=os.environ,
            grace_s=0,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        started.append(process)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    with started[0] as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"on\n"
        time.sleep(3 * supervisor._POLL_S)  # pyright: ignore[reportPrivateUsage]
        assert process.communicate() == (b"done\n", None)
        assert process.returncode == 0


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("raise SystemExit(7)", 7),
        ("import os; os.kill(os.getpid(), 15)", -15),
        ("import os; os.kill(os.getpid(), 9)", -9),
    ],
)
def test_it_ends_as_the_command_does(tmp_path: Path, script: str, code: int) -> None:
    process = _started(tmp_path, script)
    process.communicate()
    assert process.returncode == code


def test_a_signal_to_the_group_is_the_commands_business(tmp_path: Path) -> None:
    script = (
        "import signal, sys, time\n"
        "signal.signal(signal.SIGTERM, lambda *_: sys.exit(3))\n"
        "print('on', flush=True)\n"
        "time.sleep(60)\n"
    )
    process = _started(tmp_path, script)
    assert process.stdout is not None
    assert process.stdout.readline() == b"on\n"
    os.killpg(process.pid, signal.SIGTERM)
    process.communicate()
    assert process.returncode == 3


def test_a_command_whose_caller_is_gone_already_is_ended(tmp_path: Path) -> None:
    reads, writes = os.pipe()
    gone = str(os.getpid() + 1)  # not the parent of what we start
    script = [sys.executable, "-c", "import time; time.sleep(60)"]
    process = subprocess.Popen(
        [sys.executable, "-I", "-S", supervisor.__file__, gone, "0", str(writes), *script],
        cwd=tmp_path,
        start_new_session=True,
        pass_fds=(writes,),
    )
    os.close(reads)
    os.close(writes)
    assert process.wait(timeout=30) == -signal.SIGKILL


def test_a_command_that_does_not_exist_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="No such file"):
        start_supervised(
            [str(tmp_path / "nothing")],
            cwd=tmp_path,
            environment={},
            grace_s=0,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
