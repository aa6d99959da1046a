"""Reads archives by their members: Keras models, NumPy's archives, PyTorch's files, any zip.

An archive holds the time at which each member was written; its bytes never repeat.
"""

from __future__ import annotations

import io
import os
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, BinaryIO, cast

from wandb_repro.capture.outputs.contents import (
    PIECE_BYTES,
    Contents,
    Part,
    by_parts,
    stream_digest,
)
from wandb_repro.capture.outputs.hdf5_file import MAGIC, hdf5_contents
from wandb_repro.capture.outputs.json_config import MOST_CONFIG_BYTES, config_digest
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.errors import DigestError

if TYPE_CHECKING:
    from typing_extensions import Buffer

_IN_MEMORY_BYTES = 16 << 20

_ERRORS = (
    zipfile.BadZipFile,
    zlib.error,
    ValueError,
    EOFError,
    NotImplementedError,
    RuntimeError,
    OSError,
)
"""What ``zipfile`` raises for an archive that is damaged, encrypted or packed in an unknown way."""

_LEFT_OUT = ("/.data/serialization_id", "docProps/core.xml")
"""Members that hold an id or the time of the file itself: of PyTorch's and Excel's files."""

_MOST_DIRECTORY_BYTES = 64 << 20
_END_BYTES = 70_000
"""Longest record at the end of an archive, with its comment."""
_IN_ZIP64 = 0xFFFFFFFF
"""Says that the size is in another record."""


def zip_contents(file: BinaryIO, size_bytes: int, budget: OutputBudget) -> Contents | None:
    """Return the members of an archive; None if it cannot be read as one.

    Raises:
        DigestError: it is more than the budget.
    """
    try:
        if _directory_bytes(file, size_bytes) > _MOST_DIRECTORY_BYTES:
            return None
        with zipfile.ZipFile(file) as archive:
            members = [member for member in archive.infolist() if not member.is_dir()]
            names = [member.filename for member in members]
            top = _torch_folder(names)
            parts: list[Part] = []
            for member in members:
                if not member.filename.endswith(_LEFT_OUT):
                    name = member.filename[len(top) :]
                    parts += _member(_Member(file, archive, member), name, budget)
    except _ERRORS:
        return None
    return by_parts(_kind(names, top), parts)


def _directory_bytes(file: BinaryIO, size_bytes: int) -> int:
    """Return the size of the archive's directory, which ``zipfile`` reads into memory at once."""
    tail = min(size_bytes, _END_BYTES)
    file.seek(size_bytes - tail)
    end = file.read(tail)
    file.seek(0)
    at, at_64 = end.rfind(b"PK\5\6"), end.rfind(b"PK\6\6")
    size = int.from_bytes(end[at + 12 : at + 16], "little")
    if at_64 >= 0 and size == _IN_ZIP64:
        size = int.from_bytes(end[at_64 + 40 : at_64 + 48], "little")
    return size if at >= 0 else 0


def _kind(names: list[str], top: str) -> str:
    if {"config.json", "metadata.json"} <= set(names):
        return "keras"
    if top:
        return "torch"
    return "npz" if names and all(name.endswith(".npy") for name in names) else "zip"


def _torch_folder(names: list[str]) -> str:
    """Return the folder that all members of a PyTorch file are in: it is named after the file."""
    first = names[0].partition("/")[0] + "/" if names else ""
    is_torch = f"{first}data.pkl" in names and all(name.startswith(first) for name in names)
    return first if is_torch else ""


def _member(member: _Member, name: str, budget: OutputBudget) -> Iterator[Part]:
    budget.take_member()
    with member.open() as opened:
        if name.endswith(".json") and member.size_bytes <= MOST_CONFIG_BYTES:
            yield Part(name, config_digest(_whole(opened, budget)))
            return
        head = opened.read(len(MAGIC))
    if head == MAGIC and (found := _hdf5_contents(member, budget)) is not None:
        yield from (Part(f"{name}:{part.name}", part.digest) for part in found.parts)
        return
    with member.open() as opened:
        yield Part(name, stream_digest(opened.read, budget))


def _hdf5_contents(member: _Member, budget: OutputBudget) -> Contents | None:
    if (window := member.window()) is not None:
        return hdf5_contents(cast("BinaryIO", io.BufferedReader(window)), budget)
    # Copied, since h5py jumps to and fro, and a packed member can only be read from its start.
    with member.open() as opened, tempfile.SpooledTemporaryFile(_IN_MEMORY_BYTES) as copy:
        while piece := opened.read(PIECE_BYTES):
            budget.take(len(piece))
            copy.write(piece)
        return hdf5_contents(cast("BinaryIO", copy), budget)


def _whole(opened: IO[bytes], budget: OutputBudget) -> bytes:
    content = io.BytesIO()
    while piece := opened.read(PIECE_BYTES):
        budget.take(len(piece))
        content.write(piece)
        if content.tell() > MOST_CONFIG_BYTES:  # the archive's directory was wrong about its size
            raise DigestError("a config in it is too large")
    return content.getvalue()


class _Member:
    """A member of an archive."""

    def __init__(self, file: BinaryIO, archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> None:
        self._file = file
        self._archive = archive
        self._member = member
        self.size_bytes = member.file_size

    def open(self) -> IO[bytes]:
        """Return its content from the start."""
        return self._archive.open(self._member)

    def window(self) -> _Window | None:
        """Return the part of the archive that is its content; None if it is packed."""
        member = self._member
        if member.compress_type != zipfile.ZIP_STORED or member.file_size != member.compress_size:
            return None
        self._file.seek(member.header_offset + _NAME_LENGTH_AT)
        lengths = self._file.read(4)
        name, extra = int.from_bytes(lengths[:2], "little"), int.from_bytes(lengths[2:], "little")
        start = member.header_offset + _HEADER_BYTES + name + extra
        return _Window(self._file, start, member.file_size)


_NAME_LENGTH_AT, _HEADER_BYTES = 26, 30
"""Of the header before each member's content."""


class _Window(io.RawIOBase):
    """A part of a file, read as a file of its own."""

    def __init__(self, file: BinaryIO, start: int, size_bytes: int) -> None:
        super().__init__()
        self._file = file
        self._start = start
        self._size_bytes = size_bytes
        self._at = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = io.SEEK_SET, /) -> int:
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size_bytes}[whence]
        self._at = max(0, base + offset)
        return self._at

    def tell(self) -> int:
        return self._at

    def readinto(self, buffer: Buffer, /) -> int:
        view = memoryview(buffer).cast("B")
        count = max(0, min(len(view), self._size_bytes - self._at))
        count = os.preadv(self._file.fileno(), [view[:count]], self._start + self._at)
        self._at += count
        return count
