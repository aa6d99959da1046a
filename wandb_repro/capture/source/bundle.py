"""Writes files as one commit in a git bundle.

Source: git, Documentation/gitformat-bundle.txt.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from wandb_repro.capture.source.git import Git, private_repository
from wandb_repro.capture.source.objects import EXECUTABLE, REGULAR, Entry, blob_id, tree_id
from wandb_repro.capture.source.read_files import Content
from wandb_repro.errors import CodeError
from wandb_repro.files import atomic_file, sha256_of_file
from wandb_repro.manifest.code import BundleFile

SNAPSHOT_REF = "refs/heads/snapshot"
_IMPORT_S, _BUNDLE_S = 120.0, 600.0
_PACK_S = 60.0
"""Limit for at most 50 MB of files; the script waits for it when it ends."""
_HEADER = b"# v2 git bundle\n%s %s\n%s HEAD\n\n"
"""With HEAD, ``git clone code.bundle`` checks the files out."""
_FAST_IMPORT = ("fast-import", "--quiet", "--done", "--force", "--depth=0")
_PACK_OBJECTS = (
    *("pack-objects", "--revs", "--stdout", "-q", "--no-use-bitmap-index"),
    *("--threads=1", "--window=0", "--no-reuse-delta", "--no-reuse-object"),
)


def borrow(private: Git, stores: Iterable[Path]) -> None:
    """Let a private repository read objects from other object stores, which stay unchanged."""
    lines = b"".join(_quoted(os.fsencode(store)) + b"\n" for store in stores)
    (private.git_dir / "objects" / "info" / "alternates").write_bytes(lines)


def import_files(private: Git, contents: Iterable[Content]) -> dict[bytes, Entry]:
    """Commit files to a private repository, and return the resulting tree.

    The commit has no parent and no date, so equal trees make equal commits.

    Raises:
        CodeError: git fails, for example because an object that it should already have is missing.
    """
    entries: dict[bytes, Entry] = {}
    with replace(private, timeout_s=_IMPORT_S).started(*_FAST_IMPORT) as process:
        stream = process.stdin
        assert stream is not None  # noqa: S101  (started with a pipe)
        for content in contents:
            if content.data is not None:
                stream.writelines(_blob(content.data))
            entries[content.source.path] = content.entry
        stream.writelines(_commit(entries))
    return entries


def _blob(data: bytes) -> tuple[bytes, ...]:
    return b"blob\ndata %d\n" % len(data), data, b"\n"


def _commit(entries: Mapping[bytes, Entry]) -> Iterator[bytes]:
    ref = SNAPSHOT_REF.encode()
    yield b"reset %s\ncommit %s\n" % (ref, ref)
    yield b"committer wandb_repro <wandb_repro> 0 +0000\ndata 8\nsnapshot\n"
    for path, entry in entries.items():
        yield b"M %s %s %s\n" % (entry.mode, entry.blob.encode(), _quoted(path))
    yield b"done\n"


def _quoted(path: bytes) -> bytes:
    escaped = path.replace(b"\\", b"\\\\").replace(b'"', b'\\"').replace(b"\n", b"\\n")
    return b'"' + escaped + b'"'


def write_bundle(private: Git, destination: Path, *, timeout_s: float = _BUNDLE_S) -> BundleFile:
    """Write the snapshot as a git bundle whole or not at all, and return the bundle's record.

    Equal trees make equal bytes: packed forms of the user's objects are not reused.

    Raises:
        CodeError: git fails, or the disk does not hold what was written.
    """
    patient = replace(private, timeout_s=timeout_s)
    commit = private.run("rev-parse", "--verify", SNAPSHOT_REF).strip()
    try:
        with atomic_file(destination) as file:
            file.write(_HEADER % (commit, SNAPSHOT_REF.encode(), commit))
            file.flush()
            patient.run(*_PACK_OBJECTS, data=commit + b"\n", stdout=file)
        return file_of(destination)
    except OSError as error:
        raise CodeError(f"the bundle cannot be written: {error}") from error


def file_of(bundle: Path) -> BundleFile:
    """Return the record of a bundle, its digest read back from the disk.

    Raises:
        OSError: it cannot be read.
    """
    return BundleFile(
        name=bundle.name, sha256=sha256_of_file(bundle), size_bytes=bundle.stat().st_size
    )


class PackedFile(NamedTuple):
    """A regular file that goes into a bundle."""

    data: bytes
    executable: bool = False


def pack_files(files: Mapping[bytes, PackedFile], destination: Path) -> tuple[str, BundleFile]:
    """Write a bundle of one commit that holds these files, and return its tree's id.

    Starts no thread, since a process that is ending may not.

    Args:
        files: by path, ``/`` between names; equal files make equal bundles.
        destination: of the bundle; an existing file is replaced.

    Raises:
        CodeError: git is missing or fails, or the disk does not hold what was written.
    """
    entries = {
        path: Entry(EXECUTABLE if file.executable else REGULAR, blob_id(file.data))
        for path, file in sorted(files.items())
    }
    blobs = (part for file in files.values() for part in _blob(file.data))
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as folder:
        private = private_repository(Path(folder))
        patient = replace(private, timeout_s=_PACK_S)
        patient.run(*_FAST_IMPORT, data=b"".join((*blobs, *_commit(entries))))
        return tree_id(entries), write_bundle(private, destination, timeout_s=_PACK_S)
