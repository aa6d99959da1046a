"""What ``rerun`` sends to the process that it starts, and what that process answers."""

from __future__ import annotations

import os
from pathlib import PurePath
from typing import Annotated

from pydantic import Field

from wandb_repro.manifest.base import ExecutionRecord

REQUEST_VARIABLE = "WANDB_REPRO_ORDER"
"""Environment variable that holds the path of the request's file."""

OPTIONS_VARIABLE = "WANDB_REPRO_OPTIONS"
"""Environment variable that holds the options of ``wandb-repro run``, JSON."""

CHILDREN_VARIABLE = "_WANDB_REPRO_CHILDREN"
"""Environment variable that a recorded process sets for processes that it starts, JSON. Its name
does not begin with ``WANDB_``: W&B warns when such a variable changes."""

_STARTUP = ("wandb_repro", "recording", "children", "startup")
"""Last parts of the folder that a recorded process puts on ``PYTHONPATH`` for others."""

Pattern = Annotated[str, Field(min_length=1, pattern=r"^[^\x00\r\n]+$")]
Patterns = Annotated[tuple[Pattern, ...], Field(strict=False)]  # TOML and JSON have lists
Megabytes = Annotated[float, Field(gt=0, allow_inf_nan=False)]


def own_search_path(value: str) -> list[str]:
    """Return the entries of a ``PYTHONPATH`` that are the user's own."""
    entries = value.split(os.pathsep) if value else []
    return [entry for entry in entries if PurePath(entry).parts[-4:] != _STARTUP]


class Beginning(ExecutionRecord):
    """Where a ``fit`` begins that does not begin at its start."""

    fit: int
    epoch: int
    """Number of epochs that are skipped."""
    checkpoint: str
    """Absolute path of the checkpoint that was saved after them."""
    checkpoint_sha256: str
    is_over: bool = False
    """Whether the original's ``fit`` ended there: then it is skipped and trains nothing."""


class RerunRequest(ExecutionRecord):
    """Repeat this run, and compare while it trains."""

    capsule: str
    """Absolute path of the original's capsule."""
    original: str
    """The run to repeat, ``ENTITY/PROJECT/ID`` without the parts that are not known."""
    code_root: str
    """Absolute path of the restored tree."""
    whereabouts: str
    """Absolute path of the file that the child writes ``Whereabouts`` to."""
    keep_going: bool
    """Continue after the first difference."""
    until_epoch: int | None
    until_step: int | None
    allow_outputs: bool
    """Let the rerun publish artifacts, links and alerts again."""
    steps_fit: int | None = None
    """Digest the weights after every step of this ``fit``, from 1; None for no ``fit``."""
    steps_after_epoch: int = 0
    """Digest these steps only after this number of complete epochs."""
    from_epoch: int | None = None
    """Compare only what comes after this number of epochs; None: everything."""
    from_fit: int = 1
    """The ``fit`` in which ``from_epoch``, ``until_epoch`` and ``until_step`` are counted."""
    beginnings: tuple[Beginning, ...] = ()
    """Fits that begin with a checkpoint; all others begin at their start."""
    rtol: float | None = None
    """Allowed relative difference of each number in equivalent runs."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """Allowed difference of each named metric."""


class Whereabouts(ExecutionRecord):
    """Written by the child as soon as its run exists."""

    capsule: str
    """Absolute path of the rerun's own capsule."""
    run: str
    """Its run, ``ENTITY/PROJECT/ID`` without the parts that are not known."""
    url: str
    """Page of the run; empty offline."""


class Options(ExecutionRecord):
    """Options of ``init``: from the call, the command line or ``pyproject.toml``."""

    seed: int | None = None
    deterministic: bool | None = None
    code: str = "auto"
    strict: bool = False
    steps: int | list[int] | None = None
    """After every N steps, or after these steps."""
    include: Patterns = ()
    """As in ``.gitignore``; if there are any, only these files are in the snapshot."""
    exclude: Patterns = ()
    """Files that are not in the snapshot."""
    not_secret: Patterns = ()
    """Files that are stored although they look like a secret."""
    max_file_mb: Megabytes = 50
    """Larger files are left out, in 2**20 bytes."""
    max_total_mb: Megabytes = 500
    """Size of all files together, in 2**20 bytes."""
    max_untracked_files: Annotated[int, Field(ge=0)] = 20_000
    require: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Rules that ``audit`` checks for each run of a project; a training ignores them."""
    volatile: Patterns = ()
    """Names of logged values and files that differ in every run, besides the published rule's."""
    max_added_file_mb: Megabytes = 10
    """Larger files from outside the snapshot are only named, in 2**20 bytes."""
    max_added_total_mb: Megabytes = 50
    """Size of all added files together, in 2**20 bytes."""
    max_added_files: Annotated[int, Field(ge=0)] = 2_000
