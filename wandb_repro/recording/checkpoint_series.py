"""The checkpoints of one training in a folder: found, written, numbered and recorded."""

from __future__ import annotations

import atexit
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.errors import CheckpointError
from wandb_repro.manifest.request import Beginning
from wandb_repro.manifest.trail_records import Checkpoint
from wandb_repro.recording.distributed import world_of
from wandb_repro.recording.fit.fit_recorder import FitRecorder
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.messages import say, warn_once
from wandb_repro.recording.process_state import process
from wandb_repro.store.checkpoint_file import Piece, StoredCheckpoint, read_checkpoint
from wandb_repro.store.checkpoint_folder import Shelf, Written


class Taken(NamedTuple):
    """A checkpoint before it is written."""

    state: dict[str, Any]
    pieces: list[Piece]
    root: str


class Found(NamedTuple):
    """A checkpoint that a training resumes from."""

    written: Written
    stored: StoredCheckpoint


class CheckpointSeries:
    """The checkpoints that one ``fit``, or one loop, writes to a folder and resumes from.

    Args:
        folder: created when the first checkpoint is written.
        keep: how many of the latest are kept, in addition to the best.
        resume: False starts over, and moves the old checkpoints to a folder inside this one.
    """

    def __init__(self, folder: Path, keep: int, *, resume: bool = True) -> None:
        self._shelf = Shelf(folder.absolute(), keep)
        self._resume = resume
        self._number = 0
        self._begun_with: int | None = None
        self.saves = False
        """Whether this process writes: it is the first of its kind, and no rerun."""

    @property
    def folder(self) -> Path:
        """The absolute path of the folder."""
        return self._shelf.folder

    def begin(self, check: Callable[[StoredCheckpoint], object]) -> Found | None:
        """Begin the next training of this process in the folder; return what it resumes from.

        Args:
            check: raises CheckpointError if a checkpoint belongs to another training.
        """
        fits, folder = process.checkpointed_fits, self._shelf.folder
        process.open_checkpoints.add(folder)
        fits[folder] = self._number = fits.get(folder, 0) + 1
        self.saves = world_of(os.environ).rank == 0
        if self._number == 1 and (self._shelf.has_ended or not self._resume):
            self._start_over()
        found = self._newest(check)
        if self.saves and self._number == 1:
            guarded(lambda: self._shelf.mark("runs"), "the folder of checkpoints")
            # NOTE: not a method of this object, whose training may refer to a model.
            atexit.register(end_script, self._shelf)
        return found

    def _newest(self, check: Callable[[StoredCheckpoint], object]) -> Found | None:
        newest = self._shelf.newest(self._number, _warn_of_skipped)
        if newest is None:
            return None
        written, stored = newest
        try:
            check(stored)
        except CheckpointError as error:
            self._set_aside(f"cannot resume from {written.path.name}: {error.message}")
            return None
        return Found(written, stored)

    def _start_over(self) -> None:
        if not self.saves:
            return
        if not self._shelf.has_ended:
            self._set_aside("resume=False")
        elif self._shelf.clear():
            say(f"the training in {self._shelf.folder} has finished; this one starts over")

    def _set_aside(self, why: str) -> None:
        aside = self._shelf.set_aside() if self.saves else None
        if aside is not None:
            warn_once(f"{why}; training starts over, and the old files are kept in {aside}")

    def begin_rerun(self, start: Beginning, check: Callable[[StoredCheckpoint], object]) -> Found:
        """Return the checkpoint that a rerun begins with.

        Raises:
            RerunStopped: it cannot be read, or belongs to another training.
        """
        path = Path(start.checkpoint)
        try:
            stored = read_checkpoint(path, start.checkpoint_sha256)
            check(stored)
        except CheckpointError as error:
            say(f"the rerun cannot start from its checkpoint: {error.message}")
            raise RerunStopped(1) from error
        return Found(Written(path, start.fit, int(stored.state["epoch"])), stored)

    def resumed(self, found: Found) -> None:
        """Note that the training resumes, and say so."""
        self._begun_with = found.written.epoch
        say(f"resuming after epoch {found.written.epoch} from {found.written.path}")

    def write(
        self,
        take: Callable[[dict[str, Any]], Taken],
        recorder: FitRecorder | None,
        *,
        epoch: int,
        step: int,
        unsaved: Sequence[str] = (),
        best: int | None = None,
    ) -> None:
        """Write a checkpoint and delete older ones, or warn; record what became of each.

        Args:
            take: returns the state of the training, with these further entries.
            recorder: of the training; None if it is not recorded.
            epoch: complete epochs.
            step: complete optimizer steps.
            unsaved: state that the checkpoint does not hold, in words.
            best: epoch of the best checkpoint, which is kept.
        """
        folder = self._shelf.folder
        path = str(folder / f"fit-{self._number}-epoch-{epoch:05d}.ckpt")
        entries = {
            "fit": self._number,
            "epoch": epoch,
            "step": step,
            "path": path,
            "unsaved": list(unsaved),
        }
        try:
            taken = take(entries)
            written, digest = self._shelf.write(self._number, epoch, taken.state, taken.pieces)
        except (OSError, CheckpointError, TypeError) as error:
            why = getattr(error, "strerror", None) or getattr(error, "message", None) or str(error)
            warn_once(f"no checkpoint in {folder}: {why}; training continues without it")
            _record(recorder, epoch, step, path, reason=str(why))
            return
        more = {"digest": digest, "size_bytes": written.path.stat().st_size, "root": taken.root}
        more |= {"best": epoch == best, "unsaved": tuple(unsaved)}
        _record(recorder, epoch, step, path, **more)
        for gone in self._shelf.tidy(self._number, best, self._begun_with):
            _record(recorder, gone.written.epoch, 0, str(gone.written.path), reason=gone.reason)

    def end(self) -> None:
        """Note that the training returned."""
        process.open_checkpoints.discard(self._shelf.folder)


def _record(recorder: FitRecorder | None, epoch: int, step: int, path: str, **fields: Any) -> None:
    if recorder is not None:
        recorder.note_checkpoint(Checkpoint(fit=1, epoch=epoch, step=step, path=path, **fields))


def _warn_of_skipped(why: str) -> None:
    warn_once(f"checkpoint skipped: {why} The previous one is used, if there is one")


def end_script(shelf: Shelf) -> None:
    """Note that the script finished, unless an exception or a signal ended it."""
    failed = getattr(sys, "last_type", None) is not None
    is_open = shelf.folder in process.open_checkpoints
    if not failed and not is_open and shelf.folder.is_dir():
        with unrecorded():  # the folder is no input of the script
            guarded(lambda: shelf.mark("ended"), "the folder of checkpoints")
