"""Starts child processes that end with this one, and sends signals to all that they started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO

_SUPERVISOR = Path(__file__).with_name("supervisor.py")


def start_supervised(
    command: Sequence[str],
    *,
    cwd: Path,
    environment: Mapping[str, str],
    grace_s: float,
    stdin: int = subprocess.DEVNULL,
    stdout: IO[bytes] | int,
    stderr: IO[bytes] | int,
) -> subprocess.Popen[bytes]:
    """Start a command that ends, with all that it starts, even if this process is killed.

    Args:
        command: absolute path of the program, and its arguments.
        cwd: its working directory.
        environment: all its variables.
        grace_s: seconds it gets to end by itself, after an interrupt, when this process is gone.
        stdin: as of ``subprocess.Popen``.
        stdout: the same.
        stderr: the same.

    Raises:
        OSError: it cannot be started.
        ValueError: its arguments or variables hold a NUL.
    """
    reads, writes = os.pipe()
    supervisor = [sys.executable, "-I", "-S", str(_SUPERVISOR)]
    try:
        process = subprocess.Popen(
            [*supervisor, str(os.getpid()), str(grace_s), str(writes), *command],
            cwd=cwd,
            env=environment,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            start_new_session=True,
            pass_fds=(writes,),
        )
    except BaseException:
        os.close(reads)
        raise
    finally:
        os.close(writes)
    try:
        with open(reads, "rb") as status:  # noqa: PTH123 - a descriptor
            error = status.read().decode("utf-8", "replace")
    except BaseException:
        signal_group(process, signal.SIGKILL)
        process.communicate()
        raise
    if error:
        process.communicate()
        raise OSError(error)
    return process


def signal_group(process: subprocess.Popen[bytes], number: int) -> None:
    """Send a signal to a child's process group; do nothing if it is gone already.

    Args:
        process: started with ``start_new_session=True``, not yet waited for.
        number: of the signal.
    """
    # macOS returns EPERM for a group in which all processes have ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.Signals(number))
