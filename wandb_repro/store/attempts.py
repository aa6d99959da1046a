"""Writes on an original run that it was rerun, by W&B's public API. Only when somebody asks for it.

W&B writes a summary whole, so that of two who write at once the later takes the earlier's away.
Each rerun has an entry of its own name, and looks whether it still stands; if not, it writes again.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path

from wandb_repro.errors import RefusedError, StoreError
from wandb_repro.store.apart import run_apart
from wandb_repro.store.api import ApiRun, ApiRunToWrite
from wandb_repro.store.client import configured, connect, find_run, translated

__all__ = ["PREFIX", "note_attempt"]

PREFIX = "repro/rerun/"
"""What an entry of one rerun begins with; its id follows."""

LINE = "repro/reproduced"

_TRIES = 6
_SETTLED_S = 1.0
_STALL_S = 90.0
_BYTES = 1 << 24


def note_attempt(path: str, rerun: str, attempt: str, line: Callable[[list[str]], str]) -> str:
    """Write one rerun's outcome into the original's summary, and return the line over all.

    Args:
        path: the original, ``ENTITY/PROJECT/ID``.
        rerun: id of the rerun.
        attempt: what it says of itself.
        line: a function of a module that sums up all entries.

    Raises:
        ReproError: it could not be written; the sentence says why.
    """
    with tempfile.TemporaryDirectory(prefix="wandb-repro-", ignore_cleanup_errors=True) as folder:
        return run_apart(
            _note,
            path,
            rerun,
            attempt,
            line,
            folder,
            scratch=Path(folder),
            limit=lambda _: _BYTES,
            stall_s=_STALL_S,
        )


def _note(
    path: str, rerun: str, attempt: str, line: Callable[[list[str]], str], folder: str
) -> str:
    os.environ.pop("WANDB_SERVICE", None)
    with configured(Path(folder)) as (server, _):
        for _ in range(_TRIES):
            run = find_run(connect(server), path, server)
            _check_ended(run)
            with translated(server):
                summed = _written(run, {f"{PREFIX}{rerun}": attempt}, line)
            # Somebody who read before we wrote writes us away a moment later.
            time.sleep(_SETTLED_S + random.random())  # noqa: S311
            with translated(server):
                standing = dict(find_run(connect(server), path, server).summary.items())
            if standing.get(f"{PREFIX}{rerun}") == attempt and standing.get(LINE) == summed:
                return summed
    raise StoreError(
        "Others write to the original's summary at the same time.", hint="Write it back later."
    )


def _check_ended(run: ApiRun) -> None:
    if run.state == "running":
        raise RefusedError(
            "The original still runs: writing to its summary now could take its metrics away.",
            hint="Write it back when it has ended.",
        )


def _written(run: ApiRunToWrite, own: Mapping[str, str], line: Callable[[list[str]], str]) -> str:
    entries = {name: value for name, value in run.summary.items() if name.startswith(PREFIX)}
    summed = line([str(value) for value in {**entries, **own}.values()])
    run.summary.update({**own, LINE: summed})
    return summed
