"""Has training noted in every process that this one starts: forked, spawned, or another script.

Python processes find the file to write to in a variable, and a folder on their ``PYTHONPATH`` whose
``sitecustomize`` notices training. Forked ones have both already, and frameworks too.
"""

from __future__ import annotations

import atexit
import hashlib
import json
import os
import shutil
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from wandb_repro.manifest.request import CHILDREN_VARIABLE, own_search_path
from wandb_repro.recording.children.child_lines import TrainingLines, worker_name
from wandb_repro.recording.children.step_hooks import TRAINING, hook_training
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import harmless
from wandb_repro.recording.process_state import process

STARTUP_FOLDER = str(Path(__file__).parent / "startup")
"""Holds the ``sitecustomize`` of child processes."""

_SEARCH = "PYTHONPATH"


def given_file(environ: Mapping[str, str]) -> str:
    """Return the file that a recorded process gave to this one; empty if none did."""
    return str(_given(environ).get("file", ""))


def _given(environ: Mapping[str, str]) -> dict[str, Any]:
    try:
        given: Any = json.loads(environ.get(CHILDREN_VARIABLE) or "{}")
        # A process that replaced itself (``os.execv``) finds what it set before.
        return dict(given) if given.get("pid") != os.getpid() else {}
    except (ValueError, TypeError, AttributeError):
        return {}


def child_seed() -> int | None:
    """Return a seed for a worker of ``multiprocessing``: the same in a rerun of its parent.

    It depends on the parent's seed and the worker's name, such as ``SpawnProcess-2``. None for
    other processes.
    """
    seed, name = _given(os.environ).get("seed"), worker_name()
    if seed is None or not name:
        return None
    return int(hashlib.sha256(f"{seed} {name}".encode()).hexdigest()[:8], 16) >> 1


def is_child() -> bool:
    """Tell whether a recorded process started this one."""
    return bool(process.parent_file or given_file(os.environ))


@harmless("training in child processes")
def hand_over() -> None:
    """Have training noted in each process that this one starts from now on."""
    if process.children_file:
        return
    process.parent_file = process.parent_file or given_file(os.environ)
    # Not in the run's folder: children may start before there is a run.
    folder = tempfile.mkdtemp(prefix="wandb-repro-children-")
    process.children_file = str(Path(folder, "training"))
    seed = process.seeding.seed if process.seeding is not None else None
    given = {"pid": os.getpid(), "file": process.children_file, "seed": seed}
    os.environ[CHILDREN_VARIABLE] = json.dumps(given)
    os.environ[_SEARCH] = os.pathsep.join([STARTUP_FOLDER, *_own_entries()])
    atexit.register(_remove, folder, os.getpid())
    if not process.watches_forks:
        process.watches_forks = True
        process.unwatched.listen()
        os.register_at_fork(after_in_child=_begin_forked)


def withdraw() -> None:
    """Leave the environment of later processes as it was; for tests."""
    if os.environ.pop(CHILDREN_VARIABLE, None) is not None:
        own = os.environ[_SEARCH] = os.pathsep.join(_own_entries())
        if not own:
            del os.environ[_SEARCH]


def _remove(folder: str, owner: int) -> None:
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


@harmless("training in this forked process")
def _begin_forked() -> None:
    if not process.children_file:
        return
    process.parent_file, process.children_file = process.children_file, ""
    process.mode = None
    process.host.is_forked = True
    process.registry.renew_lock()
    process.inherited_run = getattr(sys.modules.get("wandb"), "run", None)
    process.note_training = lines = TrainingLines(process.parent_file)

    def hook(library: ModuleType) -> None:
        hook_training(library, lines)

    for name in sorted(TRAINING):
        after_import(name, hook)


def _own_entries() -> list[str]:
    return own_search_path(os.environ.get(_SEARCH, ""))
