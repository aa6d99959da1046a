"""The facts of one run, in three phases: at its start, at its first training, at its end.

Each phase is made from the previous one, which stays unchanged. ``manifest_of`` joins a phase
with what the readers know at that time.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, replace
from typing import Any, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.framework import probe_framework
from wandb_repro.capture.machine.gpu import probe_accelerator
from wandb_repro.capture.machine.machine import probe_machine
from wandb_repro.capture.machine.runtime import probe_runtime
from wandb_repro.capture.process.command import probe_command
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.machine import Accelerator, Machine, Runtime
from wandb_repro.manifest.manifest import Description, Ending, Execution, Manifest, RunIdentity
from wandb_repro.manifest.training import FitSettings
from wandb_repro.recording.earlier_runs import SCRIPTS_OWN
from wandb_repro.recording.extra_files import StoredExtraFiles
from wandb_repro.recording.readers import Readers
from wandb_repro.recording.wandb_run import config_of, identity_of, unknown_identity
from wandb_repro.version import __version__

_LATER = Unavailable(unavailable="training has not begun")
_RUNNING = Unavailable(unavailable="the run has not ended")
_MOST_FITS = 16
"""Fits whose settings are recorded: a loop that recompiles the model may have many more."""


@dataclass(frozen=True)
class StartFacts:
    """Facts known when the run starts."""

    recorded_at: str
    """UTC, ISO 8601."""
    command: Command | Unavailable
    config: dict[str, JSON] | Unavailable
    runtime: Runtime | Unavailable
    """Without the framework, which may not be imported yet."""
    world_size: int
    earlier_seeds: tuple[str | Unavailable, ...]
    trail: str | Unavailable
    """Name of the trail's file in the capsule."""


@dataclass(frozen=True)
class TrainingFacts:
    """Facts known only when training begins."""

    start: StartFacts
    machine: Machine | Unavailable
    runtime: Runtime | Unavailable
    accelerator: Accelerator | Unavailable
    extra: StoredExtraFiles | Unavailable
    """Files that the run used outside its snapshot."""
    fits: tuple[FitSettings, ...]
    """Settings of each fit that differ from those of the fit before."""
    no_fits: Unavailable
    """Why there are none."""

    def with_fit(self, settings: FitSettings | Unavailable) -> TrainingFacts:
        """Return the facts with another fit; the same object if it adds nothing."""
        if len(self.fits) == _MOST_FITS:
            return self
        if isinstance(settings, Unavailable):
            return replace(self, no_fits=settings)
        last = self.fits[-1] if self.fits else None
        if last is not None and last == settings.model_copy(update={"fit": last.fit}):
            return self
        return replace(self, fits=(*self.fits, settings))


@dataclass(frozen=True)
class EndFacts:
    """Facts known when the run ends."""

    training: TrainingFacts
    extra: StoredExtraFiles | Unavailable
    ending: Ending


Facts = StartFacts | TrainingFacts | EndFacts


def start_facts(
    readers: Readers,
    *,
    world_size: int,
    earlier_seeds: tuple[str | Unavailable, ...],
    trail: str | Unavailable,
) -> StartFacts:
    """Read the facts that are cheap to read while ``init`` runs."""
    run, host = readers.run, readers.host
    return StartFacts(
        recorded_at=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        command=guarded(lambda: probe_command(host, readers.root), "command"),
        config=guarded(lambda: config_of(run), "config"),
        runtime=guarded(lambda: probe_runtime(host, _LATER), "runtime"),
        world_size=world_size,
        earlier_seeds=earlier_seeds,
        trail=trail,
    )


def training_facts(start: StartFacts, readers: Readers, model: object) -> TrainingFacts:
    """Read the facts known when training begins; waits for the bundle and the wheels."""
    host = readers.host
    framework = guarded(lambda: probe_framework(host, model), "framework")
    runtime = guarded(lambda: probe_runtime(host, framework), "runtime")
    accelerator = guarded(lambda: probe_accelerator(host), "accelerator")
    readers.read_before_training()
    readers.settle()
    return TrainingFacts(
        start=start,
        machine=_machine(host),
        runtime=runtime,
        accelerator=accelerator,
        extra=readers.extra_files(_LATER, "training"),
        fits=(),
        no_fits=_LATER,
    )


def end_facts(before: StartFacts | TrainingFacts, readers: Readers, ending: Ending) -> EndFacts:
    """Read the facts known only when the script is done."""
    readers.settle()
    readers.read_at_end()
    if isinstance(before, StartFacts):
        before = replace(_untrained(before), machine=_machine(readers.host))
    return EndFacts(before, extra=readers.extra_files(before.extra, "end"), ending=ending)


def _machine(host: Host) -> Machine | Unavailable:
    # Not while ``init`` runs: this imports psutil.
    return guarded(lambda: probe_machine(host), "machine")


def _untrained(start: StartFacts) -> TrainingFacts:
    return TrainingFacts(
        start=start,
        machine=_LATER,
        runtime=start.runtime,
        accelerator=_LATER,
        extra=_LATER,
        fits=(),
        no_fits=_LATER,
    )


def manifest_of(facts: Facts, readers: Readers) -> Manifest:
    """Return the manifest of a run, as far as it is known in this phase."""
    training, extra = _training_of(facts)
    return Manifest(
        recorded_by=f"wandb_repro {__version__}",
        recorded_at=training.start.recorded_at,
        run=_identity(readers),
        execution=_execution(training.start, extra, readers),
        description=_description(training, extra, readers),
        trail=training.start.trail,
        ending=facts.ending if isinstance(facts, EndFacts) else _RUNNING,
    )


def _training_of(facts: Facts) -> tuple[TrainingFacts, StoredExtraFiles | Unavailable]:
    if isinstance(facts, EndFacts):
        return facts.training, facts.extra
    training = _untrained(facts) if isinstance(facts, StartFacts) else facts
    return training, training.extra


def _identity(readers: Readers) -> RunIdentity:
    run = readers.run
    identity = guarded(lambda: identity_of(run, readers.mode.rerun_of), "run")
    return unknown_identity(run, identity) if isinstance(identity, Unavailable) else identity


def _execution(
    start: StartFacts, extra: StoredExtraFiles | Unavailable, readers: Readers
) -> Execution:
    seed = readers.seeding.seed
    command = readers.with_cells(start.command)
    if isinstance(command, Command) and not isinstance(extra, Unavailable):
        folders = dict.fromkeys((*command.python_path, *extra.search_folders))
        command = command.model_copy(update={"python_path": tuple(folders)})
    return Execution(
        command=command,
        code=readers.with_extra_files(readers.code, extra),
        packages=readers.packages,
        seed=SCRIPTS_OWN if seed is None else str(seed),
        deterministic=readers.seeding.deterministic,
        config=start.config,
        world_size=start.world_size,
        earlier_seeds=start.earlier_seeds,
        early_seed=None if readers.seeding.replaced is None else str(readers.seeding.replaced),
    )


def _records_every_fit(readers: Readers) -> bool | None:
    recorded = guarded(lambda: readers.mode.records_every_fit, "every fit")
    return True if recorded is True else None


def _description(
    training: TrainingFacts, extra: StoredExtraFiles | Unavailable, readers: Readers
) -> Description:
    data = readers.data
    folders = () if isinstance(extra, Unavailable) else extra.folders
    found = {
        "overlaps": data.overlaps or None,
        "uncompared_data": data.uncompared or None,
        "folders": folders or None,
        "outputs": readers.outputs.record,
        "every_fit": _records_every_fit(readers),
        "volatile": readers.volatile or None,
    }
    return Description(
        machine=training.machine,
        runtime=training.runtime,
        accelerator=training.accelerator,
        seeds=guarded(readers.seeding.seeds, "seeds"),
        determinism=guarded(readers.seeding.determinism, "determinism"),
        config=guarded(lambda: config_of(readers.run), "config"),
        data=data.datasets or Unavailable(unavailable="wandb_repro.fingerprint was not called"),
        inputs=guarded(readers.input_files, "files read")
        if isinstance(extra, Unavailable)
        else extra.inputs,
        fits=training.fits or training.no_fits,
        **cast("Any", {name: value for name, value in found.items() if value is not None}),
    )
