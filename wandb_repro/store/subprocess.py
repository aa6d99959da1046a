"""Runs a function in its own process, which is killed if no bytes arrive in a folder.

NOTE: ``File.download`` of wandb 0.31 has no timeout, and wandb's settings apply to the whole
process. So code that reads W&B runs in a process that can be killed, without affecting the caller.
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
"""Longer than a query with its retries."""
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
    """Call a function in a new process, and return its result.

    Args:
        task: a module's function; its arguments and result must be picklable.
        arguments: its arguments.
        scratch: the folder that it downloads into; its output is kept there too.
        limit: returns the most bytes that a file of a name may have.
        stall_s: seconds without a new byte or message after which it is killed.
        progress: if given, the function's first argument is a function; values passed to it, from
            any thread, arrive here.

    Raises:
        ReproError: the function raised it.
        StoreError: the function raised another error, or stalled.
        RefusedError: a file grew beyond its limit.
    """
    # Spawned, not forked: threads of wandb and of frameworks do not survive a fork.
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
        # wandb's own service notices that its parent is gone, and ends.
        process.kill()
        process.join()
        ours.close()


class _Progress(NamedTuple):
    """A message before the result."""

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
    # The caller may be killed while we wait for a server.
    threading.Thread(target=_end_with_caller, daemon=True).start()
    lock = threading.Lock()

    def report(word: Any) -> None:
        with lock:
            pipe.send(_Progress(word))

    try:
        pipe.send(task(*((report,) if reports else ()), *arguments))
    except ReproError as error:
        pipe.send(error)


def _end_with_caller() -> None:
    caller = multiprocessing.parent_process()
    if caller is not None:
        caller.join()
        os._exit(1)


def _watch(pipe: Connection, scratch: Path, limit: Callable[[str], int], stall_s: float) -> None:
    """Wait until the process sends something or ends."""
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
