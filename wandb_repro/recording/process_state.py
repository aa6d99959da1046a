"""All state that this package keeps for the whole process, in one object."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import ModuleType
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeAlias
from weakref import WeakKeyDictionary, WeakSet

from wandb_repro.capture.host import Host
from wandb_repro.capture.process.start_folder import start_folder
from wandb_repro.capture.process.unwatched_processes import UnwatchedProcesses
from wandb_repro.state.registry import Registry

if TYPE_CHECKING:
    from pathlib import Path

    import wandb

    from wandb_repro.capture.dataset import Measured
    from wandb_repro.recording.after_end import AfterEnd
    from wandb_repro.recording.early_snapshot import EarlySnapshot
    from wandb_repro.recording.message_handler import Wishes
    from wandb_repro.recording.mode import Mode
    from wandb_repro.recording.output_recorder import OutputRecorder
    from wandb_repro.recording.seeding import Seeding
    from wandb_repro.recording.session import Session
    from wandb_repro.recording.trail_sink import TrailSink

Action: TypeAlias = Callable[[ModuleType], None]
"""Called with a module right after its import."""


class Registered(NamedTuple):
    """A generator and its name in checkpoints."""

    name: str
    generator: object


class FitCall(NamedTuple):
    """A running call of ``fit``."""

    thread: int
    frame_id: int


class OpenWatch(Protocol):
    """A loop that is being recorded."""

    def close(self, *, complete: bool = True) -> None:
        """Digest the final state if the loop is complete; write what is still in memory."""
        ...


class UneditedPackages(NamedTuple):
    """Packages whose files were all checked and found unedited, and when (monotonic, seconds)."""

    installed: object
    checked_at: float


@dataclass
class ProcessState:
    """State kept from one call to the next until the process ends."""

    host: Host
    mode: Mode | None = None
    """Whether this process records or reruns; None until first needed."""
    sessions: dict[str, Session] = field(default_factory=dict["str", "Session"])
    """By run id, in the order in which they started; ended ones included."""
    watched: list[Session] = field(default_factory=list["Session"])
    """Sessions to close when the process exits."""
    pending: list[Measured] = field(default_factory=list["Measured"])
    """Fingerprints taken before a run exists."""
    seeding: Seeding | None = None
    """The seeding applied last."""
    generators: list[Registered] = field(default_factory=list[Registered])
    """Generators passed to ``register``."""
    said: set[str] = field(default_factory=set[str])
    """Lines not to print again."""
    wishes: Wishes | None = None
    """What the settings of the last run want on standard error; None before the first run."""
    import_actions: dict[str, list[Action]] = field(default_factory=dict[str, list[Action]])
    """By module: what to call with it once it is imported."""
    awaits_wandb: bool = False
    """Whether W&B is patched, now or once it is imported; in a rerun only."""
    starting: bool = False
    """Whether ``init`` is inside its call of ``wandb.init``."""
    checkpointed_fits: dict[Path, int] = field(default_factory=dict["Path", int])
    """How many fits were started with each folder of checkpoints."""
    open_checkpoints: set[Path] = field(default_factory=set["Path"])
    """Folders of checkpoints whose latest fit has not ended."""
    open_fits: WeakKeyDictionary[TrailSink, dict[int, FitCall]] = field(
        default_factory=WeakKeyDictionary["TrailSink", dict[int, FitCall]]
    )
    """Per sink, while it exists: the fits that have not ended, by number."""
    outputs: dict[str, OutputRecorder] = field(default_factory=dict["str", "OutputRecorder"])
    """By run id: what notes the files that the run saves, until it ends."""
    open_watches: WeakKeyDictionary[TrailSink, WeakSet[OpenWatch]] = field(
        default_factory=WeakKeyDictionary["TrailSink", "WeakSet[OpenWatch]"]
    )
    """Per sink, while it exists: the loops that have not finished, while they exist."""
    unedited: UneditedPackages | None = None
    """The last check of all installed files, if it found none edited."""
    records_every_fit: bool = False
    """Whether every ``fit`` gets our callback, now or once Keras is imported."""
    begin_own_run: Callable[[], None] | None = None
    """Starts a run for a script that has none; None unless ``wandb-repro run`` started it."""
    own_run: wandb.Run | None = None
    """The run that was started for the script; None if there is none, or the script started one."""
    ahead: EarlySnapshot | None = None
    """The source tree when a framework was imported, for the run that is started for the script."""
    registry: Registry = field(default_factory=Registry, compare=False)
    """What was made that can be trained."""
    watches_creation: bool = False
    """Whether the frameworks' constructors add to the registry; they keep it for good."""
    children_file: str = ""
    """In which processes that this one starts note that they train; empty: they do not."""
    parent_file: str = ""
    """In which this process notes that it trains; empty unless a recorded process started it."""
    note_training: Callable[[], object] | None = None
    """Called when a ``fit`` begins that no run records; None if nobody needs to know."""
    after_end: AfterEnd | None = None
    """Notices training while no run is open and one has ended."""
    watches_forks: bool = False
    """Whether forked processes begin to note that they train; kept for good."""
    unwatched: UnwatchedProcesses = field(default_factory=UnwatchedProcesses)
    """Python processes that this one started so that their training is not noticed."""
    inherited_run: object = None
    """In a forked process: W&B's active run of the process that it was forked from."""
    skipped: int = 0
    """Runs of a sweep agent's process that a rerun does not repeat."""

    @property
    def begun(self) -> int:
        """How many runs this process has started to record, skipped ones included."""
        return len(self.sessions) + self.skipped

    def reset(self) -> None:
        """Return to the state of a new process on the same host; for tests."""
        kept = self.registry, self.watches_creation, self.watches_forks, self.unwatched
        self.registry.clear()
        self.unwatched.names.clear()
        if self.after_end is not None:
            self.after_end.end()
        vars(self).update(vars(ProcessState(self.host)))
        self.registry, self.watches_creation, self.watches_forks, self.unwatched = kept


# Read at import: the script may change its working directory before it calls init.
process = ProcessState(Host(start_folder()))
