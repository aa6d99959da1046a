"""Running a function in a process of its own, watched: its progress is bytes in a folder.

NOTE: ``File.download`` of wandb 0.31 has no timeout and wandb's settings are those of the whole
process, so what reads W&B runs where it can be ended, and where it changes nothing of the caller.
"""

from __future__ import annotations

import multiprocessing
import os
import threading
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, cast

from wandb_repro.errors import RefusedError, ReproError, StoreError

T = TypeVar("T")

_STALL_S = 90.0
"""Longer than one query with its retries takes."""
_POLL_S = 0.05
_LOG = "child.log"


def run_apart(
    task: Callable[..., T],
    *arguments: Any,
    scratch: Path,
    limit: Callable[[str], int],
    stall_s: float = _STALL_S,
    progress: Callable[[Any], None] | None = None,
) -> T:
    """Return what a function returns, called in a new process.

    Args:
        task: a function of a module; what it takes and returns can be pickled.
        arguments: its arguments.
        scratch: the folder it downloads into; its output is kept there, too.
        limit: how many bytes a file of a name may have.
        stall_s: seconds without one new byte or word after which it is ended.
        progress: where given, the function's first argument is a function too, and what that is
            called with, from any of its threads, arrives here.

    Raises:
        ReproError: the function raised it.
        StoreError: the function ended by something else, or stood still.
        RefusedError: a file grew beyond its limit.
    """
    # Spawned, not forked: wandb's and a framework's threads do not survive a fork.
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(
        target=_child,
        args=(theirs, scratch / _LOG, task, arguments, progress is not None),
        daemon=True,
    )
    process.start()
    theirs.close()
    try:
        while True:
            _watch(ours, scratch, limit, stall_s)
            answer = _received(ours, scratch / _LOG)
            if not isinstance(answer, _Progress):
                return cast("T", answer)
            if progress is not None:
                progress(answer.word)
    finally:
        # wandb's own service sees its parent gone and ends.
        process.kill()
        process.join()
        ours.close()


class _Progress(NamedTuple):
    """A word on the way to the answer."""

    word: Any


def _child(
    pipe: Connection,
    log: Path,
    task: Callable[..., Any],
    arguments: tuple[Any, ...],
    reports: bool,
) -> None:
    output = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    os.dup2(output, 1)
    os.dup2(output, 2)
    lock = threading.Lock()

    def report(word: Any) -> None:
        with lock:
            pipe.send(_Progress(word))

    try:
        pipe.send(task(*((report,) if reports else ()), *arguments))
    except ReproError as error:
        pipe.send(error)


def _watch(pipe: Connection, scratch: Path, limit: Callable[[str], int], stall_s: float) -> None:
    """Wait for an answer, or an end without one."""
    seen, deadline = -1, time.monotonic() + stall_s
    while not pipe.poll(_POLL_S):
        sizes = _sizes(scratch)
        for name, size in sizes.items():
            if size > limit(name):
                raise RefusedError(f"W&B sent more bytes for {name} than allowed.")
        if sum(sizes.values()) != seen:
            seen, deadline = sum(sizes.values()), time.monotonic() + stall_s
        if time.monotonic() > deadline:
            raise StoreError(
                f"W&B sent nothing for {stall_s:.0f} s.",
                hint="Check the network and try again.",
            )


def _sizes(scratch: Path) -> dict[str, int]:
    sizes: dict[str, int] = {}
    for folder, _, names in os.walk(scratch):
        for name in names:
            path = Path(folder, name)
            # It may have been moved away since it was listed.
            if path.is_file():
                sizes[path.relative_to(scratch).as_posix()] = path.lstat().st_size
    return sizes


def _received(pipe: Connection, log: Path) -> Any:
    try:
        answer = pipe.recv()
    except EOFError as error:
        last_line = log.read_text(errors="replace").strip().splitlines()[-1:]
        cause = "".join(last_line)[:300] or "nothing said"
        raise StoreError(f"Reading from W&B ended without an answer: {cause}.") from error
    if isinstance(answer, ReproError):
        raise answer
    return answer
