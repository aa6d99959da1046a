"""A folder of checkpoints: the last ones and the best are kept, damaged ones are skipped."""

from __future__ import annotations

import contextlib
import json
import os
import re
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from wandb_repro.errors import CheckpointError
from wandb_repro.files import write_atomically
from wandb_repro.store.checkpoint_file import (
    Piece,
    StoredCheckpoint,
    read_checkpoint,
    write_checkpoint,
)

_NAME = re.compile(r"fit-(?P<fit>[0-9]{1,6})-epoch-(?P<epoch>[0-9]{1,9})\.ckpt", re.ASCII)
_STATUS = "training.json"
_IGNORE = ".gitignore"


class Written(NamedTuple):
    """A checkpoint in the folder."""

    path: Path
    fit: int
    epoch: int
    """Epochs that were complete."""


class Deleted(NamedTuple):
    """A checkpoint that was deleted, and why."""

    written: Written
    reason: str


class Shelf:
    """The checkpoints of one training in one folder.

    Args:
        folder: created when the first checkpoint is written.
        keep: how many of the last ones of a fit are kept, in addition to the best.
    """

    def __init__(self, folder: Path, keep: int) -> None:
        self.folder = folder
        self._keep = keep

    def written(self, fit: int) -> list[Written]:
        """Return the checkpoints of a fit, the oldest first."""
        matches = ((path, _NAME.fullmatch(path.name)) for path in self._all())
        found = [
            Written(path, fit, int(match["epoch"]))
            for path, match in matches
            if match and int(match["fit"]) == fit
        ]
        return sorted(found, key=lambda checkpoint: checkpoint.epoch)

    def newest(
        self, fit: int, passed_over: Callable[[str], object]
    ) -> tuple[Written, StoredCheckpoint] | None:
        """Return the newest valid checkpoint of a fit; None if there is none.

        Args:
            fit: its number within the process.
            passed_over: called with the reason, for each newer one that is not valid.
        """
        for checkpoint in reversed(self.written(fit)):
            try:
                return checkpoint, read_checkpoint(checkpoint.path)
            except CheckpointError as error:
                passed_over(error.message)
        return None

    def write(
        self, fit: int, epoch: int, state: dict[str, Any], pieces: Sequence[Piece]
    ) -> tuple[Written, str]:
        """Write a checkpoint and return it with its SHA-256.

        Raises:
            OSError: the disk is full, or the folder cannot be created.
        """
        path = self.folder / f"fit-{fit}-epoch-{epoch:05d}.ckpt"
        self._begin()
        return Written(path, fit, epoch), write_checkpoint(path, state, pieces)

    def _begin(self) -> None:
        """Create the folder, which git, and so a snapshot of the code, ignores."""
        self.folder.mkdir(parents=True, exist_ok=True)
        for torn in self.folder.glob(".fit-*.tmp"):  # of a process that was killed
            torn.unlink(missing_ok=True)
        ignore = self.folder / _IGNORE
        if not ignore.exists():
            ignore.write_text("*\n", encoding="ascii")

    def tidy(self, fit: int, best: int | None, begun_with: int | None = None) -> list[Deleted]:
        """Delete and return the checkpoints that are neither among the last nor the best.

        Args:
            fit: its number.
            best: epoch of the best; None if unknown.
            begun_with: epoch that the training resumed from, where a rerun also starts.
        """
        old = self.written(fit)[: -self._keep] if self._keep else []
        gone = [checkpoint for checkpoint in old if checkpoint.epoch not in (best, begun_with)]
        kept = "the best" if best is not None else ""
        reason = " and ".join(filter(None, (f"only the last {self._keep}", kept))) + " are kept"
        for checkpoint in gone:
            with contextlib.suppress(OSError):
                checkpoint.path.unlink()
        return [Deleted(checkpoint, f"deleted: {reason}") for checkpoint in gone]

    def set_aside(self) -> Path | None:
        """Move all files to a new folder inside, and return it; None if there are none."""
        files = [path for path in self._all() if path.name != _IGNORE]
        if not files:
            return None
        number = 1
        while (self.folder / f"earlier-{number}").exists():
            number += 1
        aside = self.folder / f"earlier-{number}"
        aside.mkdir()
        for path in files:
            path.replace(aside / path.name)
        return aside

    def clear(self) -> int:
        """Delete the checkpoints of a finished training; return how many there were."""
        checkpoints = [path for path in self._all() if _NAME.fullmatch(path.name)]
        for path in self._all():
            path.unlink()
        return len(checkpoints)

    def _all(self) -> list[Path]:
        """Return our files in the folder."""
        with contextlib.suppress(OSError):
            return [
                path
                for path in self.folder.iterdir()
                if _NAME.fullmatch(path.name) or path.name == _STATUS
            ]
        return []

    def mark(self, status: str) -> None:
        """Write down whether the script that trains here ``runs`` or has ``ended``.

        Raises:
            OSError: it cannot be written.
        """
        self._begin()
        content = json.dumps({"status": status, "pid": os.getpid()}).encode()
        write_atomically(self.folder / _STATUS, content)

    @property
    def has_ended(self) -> bool:
        """Whether the script that trained here has finished; False if unknown."""
        try:
            status = json.loads((self.folder / _STATUS).read_bytes())
            return bool(status["status"] == "ended")
        except (OSError, ValueError, KeyError, TypeError):
            return False
