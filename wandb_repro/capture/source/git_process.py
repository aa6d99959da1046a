"""Runs a child process with a time limit that also ends the child's own children."""

from __future__ import annotations

import contextlib
import signal
import subprocess
import tempfile
import threading
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from wandb_repro.errors import CodeError, HungError
from wandb_repro.process_group import signal_group


@dataclass(frozen=True)
class Child:
    """A process to start, in its own group."""

    command: list[str]
    """Program and arguments."""
    what: str
    """Name of the command in error messages, such as ``git ls-files``."""
    cwd: Path
    environment: dict[str, str]
    """All its variables; none are inherited."""
    stdout: IO[bytes] | int = subprocess.PIPE
    """A file, or ``subprocess.PIPE``."""


def output_of(child: Child, data: bytes, timeout_s: float) -> bytes:
    """Return what a process prints; `data` is its standard input.

    Raises:
        CodeError: the process cannot be started or fails.
        HungError: it was killed, with its group, at the time limit (seconds).
    """
    with tempfile.TemporaryFile() as errors:
        process = _start(child, errors)
        try:
            # NOTE: unlike `watched` this starts no thread: a process that is ending may not start
            # one (Python 3.12 and later).
            output, _ = process.communicate(data, timeout_s)
        except subprocess.TimeoutExpired as error:
            signal_group(process, signal.SIGKILL)
            raise _hung(child) from error
        finally:
            _end(process)
        _check(process, child, errors)
    return output or b""


@contextlib.contextmanager
def watched(child: Child, timeout_s: float) -> Generator[subprocess.Popen[bytes]]:
    """Run a process while the block reads from it and writes to it.

    Raises:
        CodeError: the process cannot be started or fails; raised when the block is left.
        HungError: it was killed, with its group, at the time limit (seconds).
    """
    with tempfile.TemporaryFile() as errors:
        process = _start(child, errors)
        expired = threading.Event()
        # NOTE: subprocess' own timeout kills only git; a child of git would keep the pipe open, and
        # reading from it would hang.
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
            _end(process)
        if expired.is_set():
            raise _hung(child)
        _check(process, child, errors, broken=broken)


def _start(child: Child, errors: IO[bytes]) -> subprocess.Popen[bytes]:
    try:
        return subprocess.Popen(
            child.command,
            cwd=child.cwd,
            env=child.environment,
            stdin=subprocess.PIPE,
            stdout=child.stdout,
            stderr=errors,
            start_new_session=True,
        )
    except OSError as error:
        missing = isinstance(error, FileNotFoundError) and child.cwd.is_dir()
        message = "git is not on PATH" if missing else f"git cannot be started: {error}"
        raise CodeError(message, hint="install git, or put it on PATH") from error


def _give_up(process: subprocess.Popen[bytes], expired: threading.Event) -> None:
    expired.set()
    signal_group(process, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes]) -> None:
    if process.poll() is None:
        signal_group(process, signal.SIGKILL)
    _close(process)
    process.wait()


def _close(process: subprocess.Popen[bytes]) -> None:
    for pipe in (process.stdin, process.stdout):
        if pipe is not None:
            with contextlib.suppress(BrokenPipeError):
                pipe.close()


def _hung(child: Child) -> HungError:
    return HungError(
        f"{child.what} did not end in time", hint="is the folder on a network disk that hangs?"
    )


def _check(
    process: subprocess.Popen[bytes], child: Child, errors: IO[bytes], *, broken: bool = False
) -> None:
    if process.returncode != 0 or broken:
        errors.seek(0)
        lines = errors.read().decode("utf-8", "replace").strip().splitlines()
        fatal = [line for line in lines if line.startswith("fatal:")]
        reasons = [f"it ended with {process.returncode}", *lines, *fatal]
        raise CodeError(f"{child.what} failed: {reasons[-1]}")
