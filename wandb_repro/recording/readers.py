"""Reads tree, packages, files, cells, seeds and data while a run goes on.

The bundle and the wheels are made in the background; the first training waits for them.
"""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.process.imported_files import imported_files
from wandb_repro.capture.process.input_files import InputWatch
from wandb_repro.capture.source.data_folders import data_folders
from wandb_repro.capture.source.extra_files import SnapshotFiles, used_files
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, Code, LeftOut
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.data import InputFile, InputFolder
from wandb_repro.manifest.packages import Packages
from wandb_repro.manifest.request import Options
from wandb_repro.recording.datasets import DataParts
from wandb_repro.recording.early_snapshot import EarlySnapshot
from wandb_repro.recording.extra_files import StoredExtraFiles
from wandb_repro.recording.folder_recorder import FolderRecorder, folders_with_many
from wandb_repro.recording.hdf5_files import watch_h5py
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import harmless
from wandb_repro.recording.mode import Mode
from wandb_repro.recording.notebook import Notebook, notebook_of
from wandb_repro.recording.output_hooks import watch_outputs
from wandb_repro.recording.output_recorder import OutputRecorder
from wandb_repro.recording.packages import PackageRecorder
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.source import recorded_source
from wandb_repro.recording.source_options import added_limits_of
from wandb_repro.recording.tensorflow_files import watch_tensorflow
from wandb_repro.recording.wandb_run import Run, folders_of
from wandb_repro.store.capsule import Capsule

_BACKGROUND_DEADLINE_S = 120.0


class Readers:
    """The parts of one run's record that are read more than once. Nothing here raises.

    Args:
        capsule: where bundles, wheels and cells are written.
        ahead: a snapshot that was started before W&B had a run, if there is one.
    """

    def __init__(
        self,
        run: Run,
        host: Host,
        seeding: Seeding,
        *,
        capsule: Capsule,
        options: Options,
        mode: Mode,
        ahead: EarlySnapshot | None = None,
    ) -> None:
        self.run = run
        self.host = host
        self.seeding = seeding
        self.mode = mode
        self.data = DataParts()
        self.outputs = OutputRecorder(run.id, Path(run.dir), Path(host.started_in))
        harmless("the files that the run saves")(watch_outputs)(run, self.outputs)
        self._capsule = capsule
        self._options = options
        self._limits = added_limits_of(options)
        self._begun = threading.Event()
        self._inputs = InputWatch()
        self._folders = FolderRecorder()
        after_import("tensorflow", watch_tensorflow)
        after_import("h5py", watch_h5py)
        harmless("which files are read")(self._inputs.start)()
        # Reading the source tree opens all of its files, which are not inputs of the training.
        with self._inputs.paused():
            self._source = mode.source(
                capsule,
                lambda: recorded_source(
                    run, host, options=options, capsule=capsule, ahead=ahead, after=self._begun
                ),
            )
        if self._source.root is not None:
            self._inputs.include(self._source.root)
        self._notebook = guarded(
            lambda: notebook_of(run, host, choice=options.code, capsule=capsule, mode=mode),
            "cells",
        )
        self._packages = PackageRecorder(
            host,
            capsule.wheels,
            withheld=mode.wheels_withheld(run, options.code),
            after=self._begun,
        )

    @property
    def volatile(self) -> tuple[str, ...]:
        """Names of values and files that the user expects to differ in every run."""
        return tuple(self._options.volatile)

    @property
    def root(self) -> Path | None:
        """Top of the source tree; None if there is no tree."""
        return self._source.root

    @property
    def code(self) -> Code | Unavailable:
        """The source tree, as far as it is known."""
        return self._source.code

    @property
    def packages(self) -> Packages | Unavailable:
        """The installed packages, as far as they are known."""
        return self._packages.packages

    @property
    def is_notebook(self) -> bool:
        """Whether the run's cells are recorded."""
        return isinstance(self._notebook, Notebook)

    def begin_background_work(self) -> None:
        """Start the slow work; the script continues, and nothing waits for it yet."""
        self._begun.set()

    def settle(self) -> None:
        """Wait for the bundle and the wheels; the record says which were not done in time."""
        self._begun.set()
        until = time.monotonic() + _BACKGROUND_DEADLINE_S
        self._source.settle(until - time.monotonic())
        self._packages.settle(max(0.0, until - time.monotonic()))

    def read_before_training(self) -> None:
        """Read seeds and packages again: the script may have changed them since the run began."""
        harmless("the script's own seeds")(self.seeding.look_again)()
        harmless("packages loaded before training")(self._packages.look)()

    def read_at_end(self) -> None:
        """Read which packages are loaded when the run ends, and the files that it saved."""
        harmless("packages loaded at the end")(self._packages.end)()
        self.outputs.read_at_end(self.root)

    def with_cells(self, command: Command | Unavailable) -> Command | Unavailable:
        """Return a notebook's command with the cells executed so far; other commands unchanged."""
        if not isinstance(command, Command) or command.kind != "notebook":
            return command
        notebook = self._notebook
        cells = notebook if isinstance(notebook, Unavailable) else guarded(notebook.file, "cells")
        return command.model_copy(update={"cells": cells})

    def with_extra_files(
        self, code: Code | Unavailable, extra: StoredExtraFiles | Unavailable
    ) -> Code | Unavailable:
        """Return the record of the tree with the files stored next to it; a rerun's unchanged."""
        if isinstance(code, Unavailable) or self._source.snapshotted is None:
            return code
        added = extra if isinstance(extra, Unavailable) else extra.added
        return code.model_copy(update={"added": added, "left_out": _still_left_out(code, added)})

    def extra_files(
        self,
        known: StoredExtraFiles | Unavailable,
        until: Literal["training", "end"],
    ) -> StoredExtraFiles | Unavailable:
        """Store or name the files that the run used so far and the snapshot lacks.

        Args:
            known: the result of an earlier call, returned again if this search fails.
            until: when this is called.
        """
        snapshot = self._source.snapshotted
        if snapshot is None:
            return known
        with unrecorded():
            found = guarded(
                lambda: self._stored(snapshot, until), "what the run used outside its snapshot"
            )
        failed_later = isinstance(found, Unavailable) and not isinstance(known, Unavailable)
        return known if failed_later else found

    def _stored(
        self, snapshot: SnapshotFiles, until: Literal["training", "end"]
    ) -> StoredExtraFiles:
        packed = self._packages.packed_files()
        imported = imported_files(self.host.modules, snapshot.root)
        opened = self.input_files()
        folders = self._read_folders(snapshot, opened)
        used = used_files(
            snapshot,
            imported={path: top for path, top in imported.items() if path not in packed},
            opened=self._folders.without_large(opened, folders, self._limits),
            own_folders=(self.host.started_in,),
            is_as_read=self._inputs.is_as_read,
            limits=self._limits,
        )
        missing = self._folders.missing(folders, used)
        return StoredExtraFiles.stored(
            used, self._capsule.added, self._options.code, until, missing
        )

    def _read_folders(
        self, snapshot: SnapshotFiles, opened: Sequence[InputFile]
    ) -> tuple[InputFolder, ...]:
        """Return the folders that the run listed or read many files from, digested."""
        code = self._source.code
        found = data_folders(
            snapshot,
            {**folders_with_many(opened), **self._inputs.listed},
            [str(folder) for folder in folders_of(self.run)],
            () if isinstance(code, Unavailable) else code.left_out,
        )
        return self._folders.digested(found, since=self._inputs.since)

    def input_files(self) -> tuple[InputFile, ...]:
        """Return the files that were read and belong to neither code nor packages."""
        return self._inputs.inputs(
            code_paths=self._source.paths,
            code_root=self._source.root,
            ignore=(*folders_of(self.run), *self.mode.own_folders),
            installed=self._packages.packed_files(),
        )

    def close(self) -> None:
        """Delete temporary files and stop watching the notebook."""
        self._source.close()
        if isinstance(self._notebook, Notebook):
            self._notebook.close()


def _still_left_out(code: Code, added: Added | Unavailable) -> tuple[LeftOut, ...]:
    """Return the files that are neither in the snapshot nor stored next to it."""
    if isinstance(added, Unavailable):
        return code.left_out
    stored = {os.path.relpath(f"{added.top}/{file.path}", code.root) for file in added.files}
    return tuple(left for left in code.left_out if left.path not in stored)
