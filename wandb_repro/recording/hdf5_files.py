"""Sees the files that h5py opens in C, which raise no audit event."""

from __future__ import annotations

import contextlib
import os
import sys
from types import ModuleType
from typing import Any

from wandb_repro.capture.process.opened_files import OpenedFiles
from wandb_repro.recording.follow_calls import follow

_FILES = "h5py._hl.files"
_READING = ("r", "r+", None)
"""Modes in which a file has to exist; h5py reads where none is given."""


def watch_h5py(h5py: ModuleType) -> None:
    """Record the HDF5 files that are opened from now on, until the process ends."""
    del h5py
    opened = OpenedFiles.of_process()

    def note(arguments: tuple[Any, ...], _: Any) -> None:
        path, mode, *_ = (*arguments, None)
        flags = os.O_RDONLY if mode in _READING else os.O_WRONLY | os.O_CREAT
        with contextlib.suppress(OSError):  # a file in memory has a name, and is nowhere
            opened.note_opened(os.fsdecode(path), flags)

    # Below h5py.File: the class keeps its identity, so that pickling and subclasses are as before.
    follow(sys.modules.get(_FILES), "make_fid", note)
