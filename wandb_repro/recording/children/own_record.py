"""The run that a child process records itself, so that its parent's record names it."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from wandb_repro.capture.host import Host
from wandb_repro.recording.children.child_lines import append
from wandb_repro.recording.messages import harmless
from wandb_repro.recording.process_state import process
from wandb_repro.recording.wandb_run import Run, identity_of, named


@harmless("the run of this child process in its parent's record")
def note_own_run(run: Run, host: Host) -> None:
    """Tell the process that started this one which run this one records."""
    if process.parent_file:
        name = named(identity_of(run, None), Path(run.dir), host.started_in)
        append(process.parent_file, run=name)


def finish_at_end_of_worker(finish: Callable[[], None]) -> None:
    """Call ``finish`` when this process ends, if ``multiprocessing`` started it."""
    # Such a process ends without the functions that were registered with ``atexit``.
    # Source: multiprocessing/popen_fork.py, ``_launch``, and process.py, ``_bootstrap``.
    module: Any = sys.modules.get("multiprocessing")
    if module is not None and module.parent_process() is not None:
        module.util.Finalize(None, finish, exitpriority=_FIRST)


_FIRST = 1000
"""Before finalizers that close what is still needed."""
