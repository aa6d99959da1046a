"""Reads the files that are stored beside the snapshot: few and small, and no secrets."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from wandb_repro.capture.secrets.scan import secret_in_name, secret_in_text
from wandb_repro.capture.source.bundle import PackedFile
from wandb_repro.files import open_regular

__all__ = ["AddedLimits", "Gathered", "Gathering"]

MB = 1024 * 1024


@dataclass(frozen=True)
class AddedLimits:
    """How much may be stored beside the snapshot. What is over is named."""

    file_bytes: int = 10 * MB
    total_bytes: int = 50 * MB
    files: int = 2_000
    beside_bytes: int = 1 * MB
    """Of a file that was not used itself, and lies in a package that was."""


@dataclass
class Gathered:
    """Files by absolute path."""

    files: dict[str, PackedFile] = field(default_factory=dict[str, PackedFile])
    refused: dict[str, str] = field(default_factory=dict[str, str])
    """Why a file that was used is not among them."""


class Gathering:
    """Reads files one after the other while there is room.

    Args:
        limits: how much room there is.
        is_as_read: tells whether a file still is as the run read it.
    """

    def __init__(self, limits: AddedLimits, is_as_read: Callable[[str], bool]) -> None:
        self._limits = limits
        self._is_as_read = is_as_read
        self._bytes = limits.total_bytes
        self.found = Gathered()

    def add(self, places: Iterable[str]) -> None:
        """Take files that the run used, or note why not."""
        for place in places:
            if place not in self.found.files:
                self._note(place, self._limits.file_bytes)

    def add_beside(self, places: Iterable[str]) -> None:
        """Take files that the run may use another time; what does not fit is no loss."""
        for place in places:
            if place not in self.found.files and place not in self.found.refused:
                self._note(place, self._limits.beside_bytes)
                self.found.refused.pop(place, None)

    def _note(self, place: str, largest_bytes: int) -> None:
        try:
            reason = self._taken(place, largest_bytes)
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}"
        if reason:
            self.found.refused[place] = reason

    def _taken(self, place: str, largest_bytes: int) -> str:
        """Take a file, or return why it is not taken."""
        status = os.stat(place)  # noqa: PTH116
        if not stat.S_ISREG(status.st_mode):
            return "it is not a file"
        if secret := secret_in_name(os.fsencode(place)):
            return f"looks like a secret ({secret})"
        if reason := self._lacks_room(status.st_size, largest_bytes):
            return reason
        if not self._is_as_read(place):
            return "it changed after the run had read it"
        with open_regular(place) as file:
            data = file.read(status.st_size)
        if secret := secret_in_text(data):
            return f"looks like a secret ({secret})"
        self._bytes -= len(data)
        self.found.files[place] = PackedFile(data, bool(status.st_mode & stat.S_IXUSR))
        return ""

    def _lacks_room(self, size_bytes: int, largest_bytes: int) -> str:
        if size_bytes > largest_bytes:
            most = f"{largest_bytes / MB:.4g} MB"
            return f"larger than {most}, the limit for a file outside the snapshot"
        if size_bytes > self._bytes:
            return f"all files outside the snapshot are over {self._limits.total_bytes / MB:.4g} MB"
        if len(self.found.files) >= self._limits.files:
            return f"more than {self._limits.files:,} files outside the snapshot"
        return ""
