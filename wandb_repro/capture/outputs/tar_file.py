"""Reads tar archives by their members, which hold times and owners; plain or packed by gzip."""

from __future__ import annotations

import tarfile
import zlib
from typing import IO, Any, BinaryIO, cast

from wandb_repro.capture.outputs.contents import (
    Contents,
    Part,
    by_parts,
    bytes_digest,
    stream_digest,
)
from wandb_repro.capture.outputs.output_budget import OutputBudget

_MAGIC, _MAGIC_AT = b"ustar", 257

_ERRORS = (tarfile.TarError, zlib.error, ValueError, EOFError, OSError, RuntimeError)
"""What ``tarfile`` raises for an archive that is damaged."""


def is_tar(file: IO[bytes]) -> bool:
    """Tell whether an unpacked file begins as a tar archive does; reads its first bytes."""
    return file.read(_MAGIC_AT + len(_MAGIC)).endswith(_MAGIC)


def tar_contents(file: IO[bytes], budget: OutputBudget) -> Contents | None:
    """Return the members of an archive, from its start; None if it cannot be read as one.

    Raises:
        DigestError: it is more than the budget.
    """
    counted = cast("BinaryIO", _Counted(file, budget))
    parts: list[Part] = []
    try:
        with tarfile.open(fileobj=counted, mode="r|") as archive:
            while (member := archive.next()) is not None:
                budget.take_member()
                parts.append(Part(member.name, _digest(archive, member, budget)))
                cast("Any", archive).members.clear()  # it keeps all that it has read
    except _ERRORS:
        return None
    return by_parts("tar", parts)


def _digest(archive: tarfile.TarFile, member: tarfile.TarInfo, budget: OutputBudget) -> str:
    content = archive.extractfile(member) if member.isreg() else None
    if content is not None:
        return stream_digest(content.read, budget)
    return bytes_digest(member.linkname.encode("utf-8", "surrogateescape"), f"{member.type!r}\0")


class _Counted:
    """Counts what is read of a file, the archive's own records included."""

    def __init__(self, file: IO[bytes], budget: OutputBudget) -> None:
        self._file = file
        self._budget = budget

    def read(self, count: int) -> bytes:
        self._budget.take(count // 2)  # what belongs to a member is counted again
        return self._file.read(count)
