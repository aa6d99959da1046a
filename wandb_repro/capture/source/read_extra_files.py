"""Reads the files that a run used outside its snapshot; too many or large ones are digested."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from wandb_repro.capture.secrets.scan import secret_in_name, secret_in_text
from wandb_repro.capture.source.bundle import PackedFile
from wandb_repro.files import open_regular, sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile

MB = 1024 * 1024
_DIGESTED_BYTES = 100 * MB
"""Read at most, in 0.1 s: the script waits for it when it ends."""


@dataclass(frozen=True)
class ExtraLimits:
    """Limits of the files stored outside the snapshot. Files beyond them are only named."""

    file_bytes: int = 10 * MB
    total_bytes: int = 50 * MB
    files: int = 2_000
    optional_bytes: int = 1 * MB
    """Limit of an unused file in a package that was used."""


class ExtraReader:
    """Reads files one after the other, within limits.

    Attributes:
        files: content of the files, by absolute path.
        refused: by absolute path, why a file that the run used is not in ``files``.

    Args:
        limits: of each file and of all together.
        is_as_read: whether a file is unchanged since the run read it.
    """

    def __init__(self, limits: ExtraLimits, is_as_read: Callable[[str], bool]) -> None:
        self._limits = limits
        self._is_as_read = is_as_read
        self._bytes = limits.total_bytes
        self.files: dict[str, PackedFile] = {}
        self.refused: dict[str, str] = {}

    def add(self, paths: Iterable[str]) -> None:
        """Read files that the run used, or record why not."""
        for path in paths:
            if path not in self.files:
                self._add(path, self._limits.file_bytes)

    def add_optional(self, paths: Iterable[str]) -> None:
        """Read files that a rerun may use; files beyond the limits are silently left out."""
        for path in paths:
            if path not in self.files and path not in self.refused:
                self._add(path, self._limits.optional_bytes)
                self.refused.pop(path, None)

    def _add(self, path: str, largest_bytes: int) -> None:
        try:
            reason = self._read(path, largest_bytes)
        except OSError as error:
            reason = f"it cannot be read: {error.strerror}"
        if reason:
            self.refused[path] = reason

    def _read(self, path: str, largest_bytes: int) -> str:
        """Read a file, or return why it is not stored."""
        status = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(status.st_mode):
            return "it is not a file"
        if secret := secret_in_name(os.fsencode(path)):
            return f"looks like a secret ({secret})"
        if reason := self._exceeded(status.st_size, largest_bytes):
            return reason
        if not self._is_as_read(path):
            return "it changed after the run read it"
        with open_regular(path) as file:
            data = file.read(status.st_size)
        if secret := secret_in_text(data, os.fsencode(path)):
            return f"looks like a secret ({secret})"
        self._bytes -= len(data)
        self.files[path] = PackedFile(data, bool(status.st_mode & stat.S_IXUSR))
        return ""

    def _exceeded(self, size_bytes: int, largest_bytes: int) -> str:
        if size_bytes > largest_bytes:
            most = f"{largest_bytes / MB:.4g} MB"
            return f"larger than {most}, the limit for a file outside the snapshot"
        if size_bytes > self._bytes:
            return f"all files outside the snapshot are over {self._limits.total_bytes / MB:.4g} MB"
        if len(self.files) >= self._limits.files:
            return f"more than {self._limits.files:,} files outside the snapshot"
        return ""


def with_digests(
    inputs: Iterable[InputFile], refused: Mapping[str, str], is_as_read: Callable[[str], bool]
) -> tuple[InputFile, ...]:
    """Return the files, in the same order, with SHA-256 and the reason why they are not stored.

    At most 100 MB are read, the smallest files first.

    Args:
        inputs: files without digests; a file that has a reason already is returned unchanged.
        refused: by absolute path, why a file is not stored.
        is_as_read: whether a file is unchanged since the run read it.
    """
    digests: dict[str, str | Unavailable] = {}
    left_bytes = _DIGESTED_BYTES
    files = list(inputs)
    # An entry that already has a reason represents files that are not known.
    for file in sorted((file for file in files if not file.reason), key=_size):
        if "secret" in refused.get(file.absolute, ""):
            # A short secret can be guessed from its digest.
            digests[file.absolute] = Unavailable(unavailable="its digest could reveal a secret")
            continue
        left_bytes -= _size(file)
        digests[file.absolute] = (
            _digest(file.absolute, is_as_read)
            if left_bytes >= 0
            else Unavailable(unavailable="too large to read when the run ended")
        )
    return tuple(
        file
        if file.reason
        else file.model_copy(
            update={"digest": digests[file.absolute], "reason": refused.get(file.absolute, "")}
        )
        for file in files
    )


def _size(file: InputFile) -> int:
    return file.size_bytes if isinstance(file.size_bytes, int) else 0


def _digest(path: str, is_as_read: Callable[[str], bool]) -> str | Unavailable:
    try:
        if not is_as_read(path):
            return Unavailable(unavailable="it changed after the run read it")
        return f"sha256:{sha256_of_file(path)}"
    except OSError as error:
        return Unavailable(unavailable=f"it cannot be read: {error.strerror}")
