"""Lists the files of a git tree that may be hostile, within a budget."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, NamedTuple

from wandb_repro.capture.git import Git
from wandb_repro.capture.tree import EXECUTABLE, LINK, REGULAR, readable, unsafe_path
from wandb_repro.errors import CodeError

__all__ = ["Budget", "TreeFile", "list_tree"]

_LONGEST_LINK_BYTES = 4095
_BLOCK_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Budget:
    """How much a restored tree may need. A bundle of a kilobyte can hold ten billion files."""

    bundle_bytes: int = 1024**3
    files: int = 200_000
    file_bytes: int = 512 * 1024**2
    total_bytes: int = 2 * 1024**3
    seconds: float = 120.0
    """For each step that git does."""


class TreeFile(NamedTuple):
    """A file of the tree, not yet read."""

    path: bytes
    mode: bytes
    blob: str
    size_bytes: int


def list_tree(git: Git, tree: str, budget: Budget) -> list[TreeFile]:
    """Return the files of a tree, each of which may be written.

    Raises:
        CodeError: the tree is not there, is larger than the budget, or holds what is refused.
    """
    files: list[TreeFile] = []
    left_bytes = budget.total_bytes
    with git.started("ls-tree", "-r", "-z", "-l", "--full-tree", tree) as process:
        assert process.stdout is not None  # noqa: S101  (it was asked for)
        for line in _split(process.stdout):
            file = _checked(_parsed(line), budget)
            left_bytes -= file.size_bytes
            files.append(file)
            if left_bytes < 0:
                raise CodeError(f"the code is larger than {budget.total_bytes:,} bytes")
            if len(files) > budget.files:
                raise CodeError(f"the code has more than {budget.files:,} files")
    return files


def _split(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield what a NUL ends. A listing without end is read no further than the caller goes."""
    rest = b""
    while block := os.read(stream.fileno(), _BLOCK_BYTES):
        *lines, rest = (rest + block).split(b"\0")
        yield from lines


def _parsed(line: bytes) -> TreeFile:
    facts, _, path = line.partition(b"\t")
    mode, _, blob, size = facts.split()
    return TreeFile(path, mode, blob.decode(), int(size) if size.isdigit() else 0)


def _checked(file: TreeFile, budget: Budget) -> TreeFile:
    name = readable(file.path)
    if file.mode not in (REGULAR, EXECUTABLE, LINK):
        raise CodeError(f"the code holds {name!r}, of a kind that is not restored")
    if reason := unsafe_path(file.path):
        raise CodeError(f"the code holds {name!r}: {reason}")
    largest = _LONGEST_LINK_BYTES if file.mode == LINK else budget.file_bytes
    if file.size_bytes > largest:
        raise CodeError(f"the code holds {name!r}, which is larger than {largest:,} bytes")
    return file
