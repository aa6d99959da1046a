"""How much of a run's outputs is read."""

from __future__ import annotations

import time

from wandb_repro.errors import DigestError


class OutputBudget:
    """Counts what is read, and raises when it is too much.

    Args:
        file_bytes: most bytes of one file, unpacked.
        seconds: longest time for all files, from now.
        members: most tensors and members of one file.
    """

    def __init__(
        self, *, file_bytes: int = 4 << 30, seconds: float = 30.0, members: int = 100_000
    ) -> None:
        self._file_bytes = self._left_bytes = file_bytes
        self._members = self._left_members = members
        self._seconds = seconds
        self._until = time.monotonic() + seconds

    def begin_file(self, size_bytes: int) -> None:
        """Start to count the next file.

        Args:
            size_bytes: its size on the disk.

        Raises:
            DigestError: it is too large.
        """
        self._left_bytes, self._left_members = self._file_bytes, self._members
        self.take(size_bytes)
        self._left_bytes = self._file_bytes

    def take(self, size_bytes: int) -> None:
        """Count bytes before they are used.

        Raises:
            DigestError: these are too many, or it has taken too long.
        """
        self._left_bytes -= size_bytes
        if self._left_bytes < 0:
            raise DigestError(f"it holds more than {self._file_bytes / 1e9:.1f} GB")
        if time.monotonic() > self._until:
            raise DigestError(f"reading the run's files took longer than {self._seconds:g} s")

    def take_member(self) -> None:
        """Count a tensor or a member of an archive.

        Raises:
            DigestError: there are too many.
        """
        self._left_members -= 1
        if self._left_members < 0:
            raise DigestError(f"it holds more than {self._members:,} parts")
