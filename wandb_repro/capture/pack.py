"""Writes a few files as a git bundle, in this process and without git.

A process that is ending can start no thread (Python 3.12 and later), and git is only run here with
one that watches it. The format is small when nothing in it is a delta.

Source: git, Documentation/gitformat-pack.txt and gitformat-bundle.txt.
"""

from __future__ import annotations

import hashlib
import struct
import zlib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, NamedTuple

from wandb_repro.capture.fast_import import bundle_header, write_durably
from wandb_repro.capture.tree import EXECUTABLE, REGULAR, Entry, blob_id, object_id, tree_objects
from wandb_repro.manifest.code import BundleFile

__all__ = ["PackedFile", "pack_files"]

_COMMIT, _TREE, _BLOB = 1, 2, 3
_WHO = b"wandb_repro <wandb_repro> 0 +0000"


class PackedFile(NamedTuple):
    """A regular file that goes into a bundle."""

    data: bytes
    executable: bool = False


def pack_files(files: Mapping[bytes, PackedFile], destination: Path) -> tuple[str, BundleFile]:
    """Write a bundle of one commit that holds these files, and return its tree's id.

    Args:
        files: by path, ``/`` between names; equal files make equal bundles.
        destination: of the bundle, replaced where it is there.

    Raises:
        CodeError: the disk does not hold what was written.
    """
    entries = {
        path: Entry(EXECUTABLE if file.executable else REGULAR, blob_id(file.data))
        for path, file in sorted(files.items())
    }
    tree, bodies = tree_objects(entries)
    commit = b"tree %s\nauthor %s\ncommitter %s\n\nsnapshot\n" % (tree.encode(), _WHO, _WHO)
    blobs = {entries[path].blob: files[path].data for path in entries}
    objects = [
        (_COMMIT, commit),
        *((_TREE, body) for body in dict.fromkeys(bodies)),
        *((_BLOB, data) for data in blobs.values()),
    ]

    def write(file: IO[bytes]) -> None:
        file.write(bundle_header(object_id(b"commit", commit)))
        _write_pack(file, objects)

    return tree, write_durably(destination, write)


def _write_pack(file: IO[bytes], objects: list[tuple[int, bytes]]) -> None:
    digest = hashlib.sha1(usedforsecurity=False)
    for part in _parts(objects):
        file.write(part)
        digest.update(part)
    file.write(digest.digest())


def _parts(objects: list[tuple[int, bytes]]) -> Iterable[bytes]:
    yield struct.pack(">4sII", b"PACK", 2, len(objects))
    for kind, body in objects:
        yield _object_header(kind, len(body))
        yield zlib.compress(body)


def _object_header(kind: int, size_bytes: int) -> bytes:
    """Return type and size: 4 bits of the size, then 7 a byte, lowest first."""
    header = bytearray([kind << 4 | size_bytes & 15])
    size_bytes >>= 4
    while size_bytes:
        header[-1] |= 0x80
        header.append(size_bytes & 0x7F)
        size_bytes >>= 7
    return bytes(header)
