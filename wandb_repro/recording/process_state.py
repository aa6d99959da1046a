"""All that this process remembers of its runs, on one object.

It is the lowest module of its room: who keeps something for the process keeps it here.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wandb_repro.capture.host import Host, ThisHost
from wandb_repro.capture.process.start_folder import start_folder

if TYPE_CHECKING:
    from wandb_repro.capture.dataset import Measured
    from wandb_repro.recording.mode import Mode
    from wandb_repro.recording.rng_registry import Registered
    from wandb_repro.recording.seeding import Seeding
    from wandb_repro.recording.session import Session

__all__ = ["ProcessState", "process"]


@dataclass
class ProcessState:
    """What is remembered from one call to the next, for as long as the process lives."""

    host: Host
    mode: Mode | None = None
    """Whether this process records or reruns; None until somebody needs to know."""
    sessions: dict[str, Session] = field(default_factory=dict["str", "Session"])
    """By the run's id, in the order in which they began; those that ended included."""
    watched: list[Session] = field(default_factory=list["Session"])
    """Sessions to close when the process exits."""
    pending: list[Measured] = field(default_factory=list["Measured"])
    """Fingerprints that wait for a run."""
    seeding: Seeding | None = None
    """The last one that was applied."""
    generators: list[Registered] = field(default_factory=list["Registered"])
    """What ``register`` was given."""
    said: set[str] = field(default_factory=set[str])
    """Lines that are not written again."""
    starting: bool = False
    """Whether ``init`` is inside ``wandb.init``."""
    skipped: int = 0
    """Runs of the original's process that a rerun need not make, from a sweep's agent."""

    @property
    def begun(self) -> int:
        """How many runs this process began to record, those that a rerun skips included."""
        return len(self.sessions) + self.skipped

    def reset(self) -> None:
        """Forget everything but the host, as a new process would; for tests."""
        vars(self).update(vars(ProcessState(self.host)))


# The folder is read when this is imported: a script may change it before it calls ``init``.
process = ProcessState(ThisHost(start_folder()))
