"""A child process that cannot hang us, and leaves nothing running when it is given up."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import IO

from wandb_repro.errors import CodeError, HungError

__all__ = ["watched"]


@contextlib.contextmanager
def watched(
    command: list[str],
    *,
    what: str,
    cwd: Path,
    environment: dict[str, str],
    stdout: IO[bytes] | int,
    timeout_s: float,
) -> Generator[subprocess.Popen[bytes]]:
    """Run a process in a group of its own, and end the whole group when its time is over.

    NOTE: a timeout of subprocess ends git alone; what git started would live on, and hold the pipe.

    Raises:
        CodeError: it cannot be started or fails; when the block is left.
        HungError: it does not end in time.
    """
    with tempfile.TemporaryFile() as complaints:
        process = _start(command, cwd, environment, stdout, complaints)
        expired = threading.Event()
        watch = threading.Timer(timeout_s, _give_up, (process, expired))
        watch.daemon = True
        watch.start()
        broken = False
        try:
            yield process
            _close(process)
            process.wait()
        except BrokenPipeError:
            broken = True
        finally:
            watch.cancel()
            if process.poll() is None:
                _kill(process)
            _close(process)
            process.wait()
        _check(process.returncode, what, complaints, broken=broken, late=expired.is_set())


def _start(
    command: list[str],
    cwd: Path,
    environment: dict[str, str],
    stdout: IO[bytes] | int,
    complaints: IO[bytes],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=complaints,
            start_new_session=True,
        )
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and cwd.is_dir()
        message = "git is not on PATH" if missing else f"git cannot be started: {error}"
        raise CodeError(message, hint="install git, or put it on PATH") from error


def _give_up(process: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    _kill(process)


def _kill(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _check(code: int, what: str, complaints: IO[bytes], *, broken: bool, late: bool) -> None:
    if late:
        raise HungError(
            f"{what} did not end in time", hint="is the folder on a network disk that hangs?"
        )
    if code != 0 or broken:
        complaints.seek(0)
        lines = complaints.read().decode("utf-8", "replace").strip().splitlines()
        fatal = [line for line in lines if line.startswith("fatal:")]
        told = [f"it ended with {code}", *lines, *fatal]
        raise CodeError(f"{what} failed: {told[-1]}")
