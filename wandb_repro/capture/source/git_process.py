"""A child process that cannot hang the recorder, and whose own children end with it."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import threading
from collections.abc import Generator
from pathlib import Path
from typing import IO

from wandb_repro.errors import CodeError, HungError
from wandb_repro.process_group import signal_group


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
    """Run a process in a group of its own, and kill the whole group after a time limit.

    Args:
        command: program and arguments.
        what: name of the command in error messages, such as ``git ls-files``.
        cwd: working directory.
        environment: all its variables; nothing is inherited.
        stdout: a file, or ``subprocess.PIPE``.
        timeout_s: limit in seconds for the whole block.

    Raises:
        CodeError: the process cannot be started or fails; raised when the block is left.
        HungError: it was killed at the time limit.
    """
    with tempfile.TemporaryFile() as errors:
        process = _start(command, cwd, environment, stdout, errors)
        expired = threading.Event()
        # NOTE: subprocess' own timeout kills git alone; a child of git would live on and keep the
        # pipe open, and reading from it would hang.
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
                signal_group(process, signal.SIGKILL)
            _close(process)
            process.wait()
        _check(process.returncode, what, errors, broken=broken, timed_out=expired.is_set())


def _start(
    command: list[str],
    cwd: Path,
    environment: dict[str, str],
    stdout: IO[bytes] | int,
    errors: IO[bytes],
) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            command,
            cwd=cwd,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=stdout,
            stderr=errors,
            start_new_session=True,
        )
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and cwd.is_dir()
        message = "git is not on PATH" if missing else f"git cannot be started: {error}"
        raise CodeError(message, hint="install git, or put it on PATH") from error


def _give_up(process: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    signal_group(process, signal.SIGKILL)


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _check(code: int, what: str, errors: IO[bytes], *, broken: bool, timed_out: bool) -> None:
    if timed_out:
        raise HungError(
            f"{what} did not end in time", hint="is the folder on a network disk that hangs?"
        )
    if code != 0 or broken:
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
        fatal = [line for line in lines if line.startswith("fatal:")]
        reasons = [f"it ended with {code}", *lines, *fatal]
        raise CodeError(f"{what} failed: {reasons[-1]}")
