"""What the person who reruns can choose."""

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
    """Whether an environment that an earlier rerun built will do, and a new one is kept."""
    threads: int | None = None
    sets: Mapping[str, str] = field(default_factory=dict[str, str])
    """Switches instead of the recorded ones, by name."""
    keep_going: bool = False
    from_epoch: After | None = None
    """Begin with the checkpoint of this epoch."""
    checkpoint: Path | None = None
    """Where that is now; None where it was."""
    until_epoch: int | None = None
    until_step: int | None = None
    values: Mapping[int, str] = field(default_factory=dict[int, str])
    data: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where data is that lies elsewhere now, by its name; absolute paths."""
    allow_missing: bool = False
    all_packages: bool = False
    """Rebuild also what the run did not load."""
    allow_outputs: bool = False
    tolerance: Tolerance = field(default_factory=Tolerance)
    steps_of: tuple[int, int] | None = None
    """Digest every step of this ``fit``, once so many epochs of it are complete."""

    @property
    def trains_on(self) -> bool:
        """Whether the rerun goes on after the first difference: a tolerance is about the end."""
        return self.keep_going or self.tolerance.is_stated
