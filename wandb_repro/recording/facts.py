"""All facts of one run, gathered from the probes and put into its manifest.

Facts that are cheap are read when the run starts; what takes longer (the bundle, repacked
wheels) is made in the background and awaited before training; what only a training process knows
(loaded libraries, the model's switches) is read when ``fit`` begins.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.framework import probe_framework
from wandb_repro.capture.machine.gpu import probe_accelerator
from wandb_repro.capture.machine.machine import probe_machine
from wandb_repro.capture.machine.model_config import probe_settings
from wandb_repro.capture.machine.runtime import probe_runtime
from wandb_repro.capture.process.command import probe_command
from wandb_repro.capture.process.imported_files import imported_files
from wandb_repro.capture.process.input_files import InputWatch
from wandb_repro.capture.source.extra_files import SnapshotFiles, used_files
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, Code, LeftOut
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.data import InputFile
from wandb_repro.manifest.machine import Accelerator, Machine, Runtime
from wandb_repro.manifest.manifest import Description, Ending, Execution, Manifest, RunIdentity
from wandb_repro.manifest.request import Options
from wandb_repro.manifest.training import FitSettings
from wandb_repro.recording.datasets import DataParts
from wandb_repro.recording.earlier_runs import SCRIPTS_OWN
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.extra_files import Looked
from wandb_repro.recording.messages import harmless
from wandb_repro.recording.mode import Mode
from wandb_repro.recording.notebook import Notebook, notebook_of
from wandb_repro.recording.packages import PackageRecorder
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.source_options import added_limits_of
from wandb_repro.recording.wandb_run import (
    Run,
    config_of,
    folders_of,
    identity_of,
    unknown_identity,
)
from wandb_repro.store.capsule import TRAIL, Capsule
from wandb_repro.version import __version__

__all__ = ["Facts"]

_BACKGROUND_DEADLINE_S = 120.0
_LATER = Unavailable(unavailable="training has not begun")
_MOST_FITS = 16
"""Whose settings are recorded: a loop that compiles again and again has more."""
_USED = "what the run used outside its snapshot"


class Facts:
    """What is known of a run so far. Nothing here raises: what fails is a reason."""

    def __init__(
        self,
        run: Run,
        host: Host,
        seeding: Seeding,
        *,
        capsule: Capsule,
        options: Options,
        mode: Mode,
        world_size: int,
        earlier: tuple[str | Unavailable, ...],
        ahead: EarlySnapshot | None = None,
    ) -> None:
        self._run = run
        self._host = host
        self._seeding = seeding
        self._mode = mode
        self._world_size = world_size
        self._earlier = earlier
        self._recorded_at = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        self.data = DataParts()
        self.trail: str | Unavailable = TRAIL
        self._fits: list[FitSettings] = []
        self._no_fit = _LATER
        self.ending: Ending | Unavailable = Unavailable(unavailable="the run has not ended")
        self._begun = threading.Event()
        self._inputs = InputWatch()
        harmless("which files are read")(self._inputs.start)()
        self._config = guarded(lambda: config_of(run), "config")
        with self._inputs.paused():
            self._source = mode.source(
                run,
                host,
                options=options,
                capsule=capsule,
                ahead=ahead,
                after=self._begun,
            )
        if self._source.root is not None:
            self._inputs.include(self._source.root)
        self._command = guarded(lambda: probe_command(host, self._source.root), "command")
        self._notebook = guarded(
            lambda: notebook_of(run, host, choice=options.code, capsule=capsule, mode=mode),
            "cells",
        )
        self._choice = options.code
        self._added_limits = added_limits_of(options)
        self._capsule = capsule
        self._looked: Looked | Unavailable = _LATER
        self._installed = PackageRecorder(
            host,
            capsule.wheels,
            withheld=mode.wheels_withheld(run, options.code),
            after=self._begun,
        )
        self._machine: Machine | Unavailable = _LATER
        self._runtime = guarded(lambda: probe_runtime(host, _LATER), "runtime")
        self._accelerator: Accelerator | Unavailable = _LATER

    @property
    def code(self) -> Code | Unavailable:
        """The source tree, as far as it is known."""
        return self._source.code

    @property
    def is_notebook(self) -> bool:
        """Whether cells are executed one after the other."""
        return isinstance(self._notebook, Notebook)

    @property
    def runtime(self) -> Runtime | Unavailable:
        """Threads, switches and framework."""
        return self._runtime

    @property
    def accelerator(self) -> Accelerator | Unavailable:
        """The GPUs."""
        return self._accelerator

    def begin_the_rest(self) -> None:
        """Do now what takes long: the script goes on, and nothing of ours waits for it yet."""
        self._begun.set()

    def settle(self) -> None:
        """Wait for the bundle and the wheels; what is not done in time is a reason."""
        self._begun.set()
        until = time.monotonic() + _BACKGROUND_DEADLINE_S
        self._source.settle(until - time.monotonic())
        self._installed.settle(max(0.0, until - time.monotonic()))
        if self._machine is _LATER:  # imports psutil, so it is no work for a thread
            self._machine = guarded(lambda: probe_machine(self._host), "machine")

    def at_fit(self, model: object) -> None:
        """Read what only a process that is about to train knows."""
        framework = guarded(lambda: probe_framework(self._host, model), "framework")
        self._runtime = guarded(lambda: probe_runtime(self._host, framework), "runtime")
        self._accelerator = guarded(lambda: probe_accelerator(self._host), "accelerator")
        harmless("the script's own seeds")(self._seeding.look_again)()
        harmless("packages loaded before training")(self._installed.look)()

    def begin_fit(self, model: object, arguments: Mapping[str, object], fit: int) -> bool:
        """Read what a fit trains and how; return whether it is not as the fit before."""
        if len(self._fits) == _MOST_FITS:
            return False
        found = guarded(lambda: probe_settings(self._host, model, arguments, fit), "the model")
        if isinstance(found, Unavailable):
            self._no_fit = found
            return False
        last = self._fits[-1] if self._fits else None
        if last == found.model_copy(update={"fit": last.fit if last else 0}):
            return False
        self._fits.append(found)
        return True

    def at_end(self) -> None:
        """Read what only a process that has done its work knows."""
        harmless("packages loaded at the end")(self._installed.end)()

    def look(self, until: Literal["training", "end"]) -> None:
        """Store or name what the run used so far that its snapshot lacks."""
        snapshot = self._source.snapshotted
        if snapshot is None:
            return
        with unrecorded():
            found = guarded(lambda: self._look(snapshot, until), _USED)
        if isinstance(found, Looked) or isinstance(self._looked, Unavailable):
            self._looked = found

    def _look(self, snapshot: SnapshotFiles, until: Literal["training", "end"]) -> Looked:
        used = used_files(
            snapshot,
            imported=self._imported(snapshot.root),
            opened=self._input_files(),
            own_folders=(self._host.started_in,),
            is_as_read=self._inputs.is_as_read,
            limits=self._added_limits,
        )
        return Looked.stored(used, self._capsule.added, self._choice, until)

    def _imported(self, root: Path) -> dict[str, str]:
        packed = self._installed.packed_files()
        found = imported_files(self._host.modules, root)
        return {place: folder for place, folder in found.items() if place not in packed}

    @property
    def added(self) -> Added | Unavailable:
        """What is stored beside the snapshot."""
        return self._looked.added if isinstance(self._looked, Looked) else self._looked

    def manifest(self) -> Manifest:
        """Return the record as it stands now."""
        return Manifest(
            recorded_by=f"wandb_repro {__version__}",
            recorded_at=self._recorded_at,
            run=self._identity(),
            execution=self._execution(),
            description=self._description(),
            trail=self.trail,
            ending=self.ending,
        )

    def _identity(self) -> RunIdentity:
        found = guarded(lambda: identity_of(self._run, self._mode.rerun_of), "run")
        return unknown_identity(self._run, found) if isinstance(found, Unavailable) else found

    def _execution(self) -> Execution:
        seed = self._seeding.seed
        return Execution(
            command=self._command_with_folders(),
            code=self._code_with_added(),
            packages=self._installed.packages,
            seed=SCRIPTS_OWN if seed is None else str(seed),
            deterministic=self._seeding.deterministic,
            config=self._config,
            world_size=self._world_size,
            earlier_seeds=self._earlier,
        )

    def _command_now(self) -> Command | Unavailable:
        """Return how it was started; of a notebook, with the cells executed so far."""
        command, notebook = self._command, self._notebook
        if not isinstance(command, Command) or command.kind != "notebook":
            return command
        cells = notebook if isinstance(notebook, Unavailable) else guarded(notebook.file, "cells")
        return command.model_copy(update={"cells": cells})

    def _command_with_folders(self) -> Command | Unavailable:
        command = self._command_now()
        if isinstance(command, Unavailable) or not isinstance(self._looked, Looked):
            return command
        folders = dict.fromkeys((*command.python_path, *self._looked.search_folders))
        return command.model_copy(update={"python_path": tuple(folders)})

    def _code_with_added(self) -> Code | Unavailable:
        code = self._source.code
        if isinstance(code, Unavailable) or self._source.snapshotted is None:
            return code
        left_out = _still_left_out(code, self.added)
        return code.model_copy(update={"added": self.added, "left_out": left_out})

    def _description(self) -> Description:
        return Description(
            machine=self._machine,
            runtime=self._runtime,
            accelerator=self._accelerator,
            seeds=guarded(self._seeding.seeds, "seeds"),
            determinism=guarded(self._seeding.determinism, "determinism"),
            config=guarded(lambda: config_of(self._run), "config"),
            data=self.data.datasets
            or Unavailable(unavailable="wandb_repro.fingerprint was not called"),
            inputs=self._looked.inputs
            if isinstance(self._looked, Looked)
            else guarded(self._input_files, "files read"),
            fits=tuple(self._fits) or self._no_fit,
            **({"overlaps": overlaps} if (overlaps := self.data.overlaps) else {}),
        )

    def _input_files(self) -> tuple[InputFile, ...]:
        return self._inputs.inputs(
            code_paths=self._source.paths,
            code_root=self._source.root,
            ignore=(*folders_of(self._run), *self._mode.own_folders),
            installed=self._installed.packed_files(),
        )

    def close(self) -> None:
        """Delete what was needed only while recording."""
        self._source.close()
        if isinstance(self._notebook, Notebook):
            self._notebook.close()


def _still_left_out(code: Code, added: Added | Unavailable) -> tuple[LeftOut, ...]:
    """Return what is neither in the snapshot nor stored beside it."""
    if isinstance(added, Unavailable):
        return code.left_out
    stored = {os.path.relpath(f"{added.top}/{file.path}", code.root) for file in added.files}
    return tuple(left for left in code.left_out if left.path not in stored)
