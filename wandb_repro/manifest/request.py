"""What ``rerun`` tells the process that it starts, and what that process tells back."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from wandb_repro.manifest.base import ExecutionRecord

REQUEST_VARIABLE = "WANDB_REPRO_ORDER"
"""Environment variable that holds the path of the request's file."""

OPTIONS_VARIABLE = "WANDB_REPRO_OPTIONS"
"""Environment variable that holds the options of ``wandb-repro run``, JSON."""

Pattern = Annotated[str, Field(min_length=1, pattern=r"^[^\x00\r\n]+$")]
Patterns = Annotated[tuple[Pattern, ...], Field(strict=False)]  # TOML and JSON have lists
Megabytes = Annotated[float, Field(gt=0, allow_inf_nan=False)]


class Beginning(ExecutionRecord):
    """Where a ``fit`` begins that does not begin at its start."""

    fit: int
    epoch: int
    """Epochs that are left out."""
    checkpoint: str
    """Absolute path of the checkpoint that has these behind it."""
    checkpoint_sha256: str
    """Of that file."""
    is_over: bool = False
    """Whether the original's ``fit`` ended there: it is passed over, and trains nothing."""


class RerunRequest(ExecutionRecord):
    """Repeat this run, and compare while it trains."""

    capsule: str
    """Absolute path of the original's capsule."""
    original: str
    """The run it repeats, ``ENTITY/PROJECT/ID`` as far as it is known."""
    code_root: str
    """Absolute path of the restored tree."""
    whereabouts: str
    """Absolute path where the child says where its own capsule is."""
    keep_going: bool
    """Go on after the first difference."""
    until_epoch: int | None
    until_step: int | None
    allow_outputs: bool
    """Let the rerun publish artifacts, links and alerts again."""
    steps_fit: int | None = None
    """Digest the weights after every step of this ``fit``, the first being 1; None: of none."""
    steps_after_epoch: int = 0
    """Not before so many epochs of it are complete."""
    from_epoch: int | None = None
    """Compare what lies behind so many epochs; None: all."""
    from_fit: int = 1
    """The ``fit`` whose epochs are meant, also by ``until_epoch`` and ``until_step``."""
    beginnings: tuple[Beginning, ...] = ()
    """Which fits begin with a checkpoint; every other one begins at its start."""
    rtol: float | None = None
    """Part of its size by which a number may differ and the two be called equivalent."""
    metrics: dict[str, float] = Field(default_factory=dict)
    """By how much each of these metrics may differ."""


class Whereabouts(ExecutionRecord):
    """Told by the child as soon as its run exists."""

    capsule: str
    """Absolute path of the rerun's own capsule."""
    run: str
    """Its run, ``ENTITY/PROJECT/ID`` as far as it is known."""
    url: str
    """Page of the run; empty offline."""


class Options(ExecutionRecord):
    """What ``init`` was asked for, from a call, the command line or ``pyproject.toml``."""

    seed: int | None = None
    deterministic: bool | None = None
    code: str = "auto"
    strict: bool = False
    steps: int | list[int] | None = None
    """Every so many, or these."""
    include: Patterns = ()
    """As in ``.gitignore``; when there are any, nothing else is in the snapshot."""
    exclude: Patterns = ()
    """What is not in the snapshot."""
    not_secret: Patterns = ()
    """Files of the tree that are stored though they look like a secret."""
    max_file_mb: Megabytes = 50
    """Size from which on a file is left out, in 2**20 bytes."""
    max_total_mb: Megabytes = 500
    """Size that all files together may have, in 2**20 bytes."""
    max_untracked_files: Annotated[int, Field(ge=0)] = 20_000
    require: Annotated[tuple[str, ...], Field(strict=False)] = ()
    """Rules that ``audit`` holds each run of a project to. A training does not look at them."""
    max_added_file_mb: Megabytes = 10
    """Size from which on a file that was used beside the snapshot is only named, in 2**20 bytes."""
    max_added_total_mb: Megabytes = 50
    """Size that all of those may have together, in 2**20 bytes."""
    max_added_files: Annotated[int, Field(ge=0)] = 2_000
    """How many they may be."""
