"""The mode of this process: it records a training or reruns one.

The mode is chosen once. Everything that differs between the two is a method or field here, so no
other module checks which one it is.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import ValidationError

from wandb_repro.capture.guard import guarded
from wandb_repro.errors import UsageError
from wandb_repro.files import write_atomically
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.command import CellsFile, Command
from wandb_repro.manifest.manifest import Execution, Manifest
from wandb_repro.manifest.request import (
    REQUEST_VARIABLE,
    Beginning,
    Options,
    RerunRequest,
    Whereabouts,
)
from wandb_repro.recording.children.handover import child_seed, is_child
from wandb_repro.recording.earlier_runs import comes_before, seed_of
from wandb_repro.recording.live_compare import LiveComparison, RerunStopped
from wandb_repro.recording.messages import say
from wandb_repro.recording.process_state import process
from wandb_repro.recording.seeding import Seeding, drawn_seed, seeds_of_script
from wandb_repro.recording.source import Source, restored_source, why_no_code
from wandb_repro.recording.wandb_run import Run, identity_of, jsonable, name_of, of_its_own
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest, read_trail

if TYPE_CHECKING:
    from wandb_repro.recording.self_verdict import Outcome
    from wandb_repro.recording.session import Session


Kept = Literal["run", "local"]
"""Where source code is stored: with the run, or on this machine only."""


@dataclass(frozen=True)
class Recording:
    """The mode of a process that records a training."""

    rerun_of = None
    own_folders: tuple[Path, ...] = ()
    """Folders made by a rerun; files read from them are not inputs of the training."""
    earlier_runs = 0
    """How many runs the process makes before the one that is recorded."""
    snapshots_early = True
    """Whether the source tree is read while W&B starts."""
    records_every_fit = True
    """Whether a ``fit`` without our callback is recorded, too."""
    publishes = True
    """Whether artifacts, links and alerts may go to W&B."""
    saves_checkpoints = True
    """Whether ``ReproCheckpoint`` uses its folder; a rerun does not touch it."""

    def for_next_run(self, begun: int) -> Mode:
        """Return the mode of this process's next run, after ``begun`` runs."""
        del begun
        return self

    def check_goes_on(self, sessions: Iterable[Session]) -> None:
        """Do nothing: any number of runs can be recorded."""

    def wandb_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments for ``wandb.init`` unchanged."""
        return given

    def seeding(self, options: Options, before: Seeding | None, begun: int) -> Seeding:
        """Return the seeding of the next run: the caller's, the script's, or a new seed."""
        del begun
        asked, deterministic = options.seed, options.deterministic
        by_script = asked is None and bool(seeds_of_script(before.seed if before else None))
        drawn = asked is None and not by_script
        seed = None if by_script else child_seed() or drawn_seed() if drawn else asked
        again = before is not None
        return Seeding(seed, asked=asked, deterministic=deterministic, drawn=drawn, again=again)

    def beginning_of(self, fit: int | None) -> Beginning | None:
        """Return None: no fit has to start from a chosen checkpoint."""
        del fit

    def restore_config(self, run: Run) -> None:
        """Leave the run's config as it is."""

    def comparison(self) -> LiveComparison | None:
        """Return None: there is no original to compare with."""
        return None

    def source(self, capsule: Capsule, record: Callable[[], Source]) -> Source:
        """Return the script's source tree, which ``record`` reads."""
        del capsule
        return record()

    def cells_kept(self, run: Run, code: str) -> Kept | Unavailable:
        """Return where a notebook's cells are stored, or why they are not."""
        if reason := why_no_code(code, run):  # cells are source code
            return Unavailable(unavailable=reason)
        return "local" if code == "local" else "run"

    def wheels_withheld(self, run: Run, code: str) -> str:
        """Return why wheels of the user's sources are not stored; empty if they are."""
        if code == "local":
            return 'code="local": source code stays on the machine that recorded it'
        return str(guarded(lambda: why_no_code(code, run), "source tree"))

    def report_whereabouts(self, run: Run, capsule: Capsule) -> None:
        """Do nothing: no ``rerun`` command is waiting."""

    def verdict(self, manifest: Manifest, capsule: Capsule) -> Outcome | None:
        """Return None: there is no original to verify against."""
        del manifest, capsule
        return None


@dataclass(frozen=True)
class ChildOfRerun(Recording):
    """The mode of a process that a rerun's training starts: it records a run of its own."""

    publishes: bool = False
    saves_checkpoints = False

    def wandb_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments for ``wandb.init``: a new run with job type ``rerun``."""
        return of_its_own(given)


@dataclass(frozen=True)
class Rerun:
    """The mode of a process started by ``wandb-repro rerun``."""

    request: RerunRequest
    snapshots_early = False
    saves_checkpoints = False

    @property
    def rerun_of(self) -> str:
        """The run being repeated, ``ENTITY/PROJECT/ID`` as far as known."""
        return self.request.original

    @property
    def own_folders(self) -> tuple[Path, ...]:
        """The restored tree and the original's capsule."""
        return (Path(self.request.code_root), Path(self.request.capsule))

    @property
    def earlier_runs(self) -> int:
        """How many runs the original's process made before the one being repeated."""
        return len(self._execution().earlier_seeds)

    @property
    def records_every_fit(self) -> bool:
        """Whether the original's process did: fits are compared by their number.

        Raises:
            ManifestError: the original's record cannot be read.
        """
        original = read_manifest(self._original)
        command = original.execution.command
        launched = isinstance(command, Command) and command.launcher
        return launched or original.description.every_fit is True

    @property
    def publishes(self) -> bool:
        """Whether the rerun may publish to W&B again."""
        return self.request.allow_outputs

    def for_next_run(self, begun: int) -> Mode:
        """Return a recording for runs that the original's process made before the repeated one."""
        return Recording() if comes_before(self._execution(), begun) else self

    def check_goes_on(self, sessions: Iterable[Session]) -> None:
        """Check that the run being repeated has not ended yet.

        Raises:
            RerunStopped: it has ended.
        """
        if any(session.mode is self and session.ended for session in sessions):
            say("the repeated run has ended; the rerun stops here")
            raise RerunStopped(0)

    def wandb_arguments(self, given: dict[str, Any]) -> dict[str, Any]:
        """Return the arguments for ``wandb.init``: a new run with job type ``rerun``.

        It goes to the project that the plan names, whatever the script says: a sweep's agent had
        put the original into the sweep's project.
        """
        arguments = of_its_own(given)
        project = os.environ.get("WANDB_PROJECT")
        if project and not comes_before(self._execution(), process.begun):
            arguments["project"] = project
        return arguments

    def seeding(self, options: Options, before: Seeding | None, begun: int) -> Seeding:
        """Return the seeding of the corresponding run in the original's process."""
        execution = self._execution()
        early = execution.early_seed if before is None and begun == 0 else None
        return Seeding(
            seed_of(execution, begun) if early is None else int(early),
            asked=options.seed,
            deterministic=options.deterministic
            if comes_before(execution, begun)
            else execution.deterministic,
            drawn=False,
            again=before is not None,
        )

    def beginning_of(self, fit: int | None) -> Beginning | None:
        """Return the checkpoint that this fit starts from; None if it starts from the beginning."""
        return next((start for start in self.request.beginnings if start.fit == fit), None)

    def restore_config(self, run: Run) -> None:
        """Give the run the original's config, which contains a sweep's parameters."""
        recorded = self._execution().config
        if isinstance(recorded, Unavailable):
            return
        present = list(run.config.keys())
        changed: dict[str, JSON] = {
            name: value
            for name, value in recorded.items()
            if name not in present or jsonable(run.config[name]) != value
        }
        if changed:
            run.config.update(changed, allow_val_change=True)

    def comparison(self) -> LiveComparison | None:
        """Return what compares each digest with the original's as soon as it is computed."""
        return LiveComparison(self.request, read_trail(self._original))

    def source(self, capsule: Capsule, record: Callable[[], Source]) -> Source:
        """Return the restored tree; ``rerun`` checked it before it started this process."""
        del record
        return restored_source(self.request, capsule)

    def cells_kept(self, run: Run, code: str) -> Kept | Unavailable:
        """Return where the original's cells were stored."""
        del run, code
        command = guarded(lambda: self._execution().command, "command")
        cells = command.cells if isinstance(command, Command) else None
        return cells.kept if isinstance(cells, CellsFile) else "run"

    def wheels_withheld(self, run: Run, code: str) -> str:
        """Return an empty reason: the original's settings decided what is stored."""
        del run, code
        return ""

    def report_whereabouts(self, run: Run, capsule: Capsule) -> None:
        """Write the path of this run's capsule for the waiting ``rerun``.

        Raises:
            OSError: the file cannot be written.
        """
        identity = identity_of(run, None)
        url = identity.url if isinstance(identity.url, str) else ""
        report = Whereabouts(capsule=str(capsule.folder), run=name_of(identity), url=url)
        write_atomically(Path(self.request.whereabouts), report.model_dump_json().encode())

    def verdict(self, manifest: Manifest, capsule: Capsule) -> Outcome | None:
        """Verify this run against the original.

        Raises:
            ManifestError: the original's record cannot be read.
            TrailError: a trail cannot be read.
        """
        from wandb_repro.recording.self_verdict import outcome_of  # only needed at the end

        return outcome_of(self.request, manifest, capsule)

    @property
    def _original(self) -> Capsule:
        return Capsule(Path(self.request.capsule))

    def _execution(self) -> Execution:
        return read_manifest(self._original).execution


Mode = Recording | Rerun


def current_mode() -> Mode:
    """Return the mode of this process; the first call chooses it.

    Raises:
        UsageError: the request cannot be read.
    """
    if process.mode is None:
        process.mode = mode_of(os.environ)
    return process.mode


def mode_of(environ: Mapping[str, str]) -> Mode:
    """Return the mode of a process with these environment variables.

    Raises:
        UsageError: the request cannot be read.
    """
    path = environ.get(REQUEST_VARIABLE)
    if not path:
        return Recording()
    try:
        request = RerunRequest.model_validate_json(Path(path).read_bytes())
        # The request is for the process that ``rerun`` starts; those that it starts inherit it.
        return ChildOfRerun(publishes=request.allow_outputs) if is_child() else Rerun(request)
    except (OSError, ValidationError) as error:
        raise UsageError(
            f"{REQUEST_VARIABLE} names {path}, which is not a rerun request.",
            hint=f"Unset {REQUEST_VARIABLE}; only wandb-repro rerun sets it.",
        ) from error
