"""Digests one file that a run leaves behind, by what is in it."""

from __future__ import annotations

import gzip
import os
import zlib
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple, cast

from wandb_repro.capture.outputs.contents import Contents, bytes_digest, stream_digest
from wandb_repro.capture.outputs.hdf5_file import MAGIC, hdf5_contents
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.capture.outputs.safetensors_file import safetensors_contents
from wandb_repro.capture.outputs.tar_file import is_tar, tar_contents
from wandb_repro.capture.outputs.tensorflow_file import checkpoint_contents
from wandb_repro.capture.outputs.zip_file import zip_contents
from wandb_repro.errors import DigestError
from wandb_repro.files import open_regular

_ZIP, _GZIP = b"PK\3\4", b"\x1f\x8b"
_MOST_STATE_BYTES = 1 << 20


class OutputDigest(NamedTuple):
    """A file's size, and what it holds."""

    size_bytes: int
    contents: Contents


def digest_output(path: Path, budget: OutputBudget) -> OutputDigest:
    """Digest a file by its tensors if its format is known, else by its bytes.

    A file of a known format that cannot be read as such is digested by its bytes. Nothing in it is
    executed or unpickled.

    Raises:
        DigestError: it is not a file, cannot be read, holds more than the budget, or changed while
            it was read.
    """
    try:
        # Unbuffered: parts are read in large pieces.
        with open_regular(path, buffering=0) as file:
            before = os.fstat(file.fileno())
            budget.begin_file(before.st_size)
            contents = checkpoint_contents(path, budget) or _contents(
                file, path.name, before.st_size, budget
            )
            after = os.fstat(file.fileno())
    except OSError as error:
        raise DigestError(_why(error)) from error
    if (before.st_size, before.st_mtime_ns) != (after.st_size, after.st_mtime_ns):
        raise DigestError("it changed while it was read")
    return OutputDigest(before.st_size, contents)


def _why(error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "it was deleted"
    return str(error.strerror or error)


def _contents(file: BinaryIO, name: str, size_bytes: int, budget: OutputBudget) -> Contents:
    head = file.read(len(MAGIC))
    file.seek(0)
    found = None
    if head.startswith(_ZIP):
        found = zip_contents(file, size_bytes, budget)
    elif head == MAGIC:
        found = hdf5_contents(file, budget)
    elif name.endswith(".safetensors"):
        found = safetensors_contents(file, size_bytes, budget)
    elif head.startswith(_GZIP):
        found = _unpacked(file, budget)
    elif name == "checkpoint" and size_bytes <= _MOST_STATE_BYTES:
        return Contents("bytes", (), _state_digest(file.read(_MOST_STATE_BYTES)))
    else:
        found = _tar(file, budget)
    if found is None:
        file.seek(0)
        found = Contents("bytes", (), stream_digest(file.read, budget))
    return found


def _tar(file: IO[bytes], budget: OutputBudget) -> Contents | None:
    """Return the members of a tar archive; None for any other file."""
    if not is_tar(file):
        return None
    file.seek(0)
    return tar_contents(file, budget)


def _unpacked(file: BinaryIO, budget: OutputBudget) -> Contents | None:
    """Return what is packed in a gzip file, which holds the time; None if it is damaged."""
    try:
        with gzip.GzipFile(fileobj=file) as unpacked:
            if (found := _tar(cast("IO[bytes]", unpacked), budget)) is not None:
                return found
            unpacked.seek(0)
            return Contents("gzip", (), stream_digest(unpacked.read, budget))
    except (OSError, EOFError, zlib.error):
        return None


def _state_digest(text: bytes) -> str:
    """Return the digest of TensorFlow's list of checkpoints, without the times in it."""
    lines = [line for line in text.splitlines() if b"timestamp" not in line]
    return bytes_digest(b"\n".join(lines))
