"""The options of a rerun."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wandb_repro.verify.segment import After
from wandb_repro.verify.tolerance import Tolerance


@dataclass(frozen=True)
class RerunOptions:
    """How a run is rerun; each default is what ``wandb-repro rerun RUN`` does."""

    environment: str = "auto"
    """``auto``, ``here``, ``rebuild``, or the path of an interpreter whose environment is used."""
    base_python: Path | None = None
    """Interpreter to rebuild the environment with, instead of the recorded version."""
    use_cache: bool = True
    """Whether an environment of an earlier rerun is used, and a new one cached."""
    threads: int | None = None
    sets: Mapping[str, str] = field(default_factory=dict[str, str])
    """Switches instead of the recorded ones, by name."""
    keep_going: bool = False
    from_epoch: After | None = None
    """Begin with the checkpoint of this epoch."""
    checkpoint: Path | None = None
    """Its path now; None if it was not moved."""
    until_epoch: int | None = None
    until_step: int | None = None
    values: Mapping[int, str] = field(default_factory=dict[int, str])
    data: Mapping[str, str] = field(default_factory=dict[str, str])
    """Absolute paths of data that was moved, by its name."""
    allow_missing: bool = False
    all_packages: bool = False
    """Also rebuild what the run did not load."""
    allow_outputs: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)
    steps_of: tuple[int, int] | None = None
    """A ``fit`` and a number of epochs: after these, digest each of its steps."""

    @property
    def trains_on(self) -> bool:
        """Whether the rerun continues after a difference: a tolerance is about the end."""
        return self.keep_going or self.tolerance.is_stated
