"""Lists, reads and writes the files of a git tree that may be hostile, within a budget."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Generator, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, NamedTuple

from wandb_repro.capture.source.git import Git
from wandb_repro.capture.source.objects import (
    EXECUTABLE,
    LINK,
    REGULAR,
    Entry,
    blob_id,
    git_mode,
    link_escapes,
    readable,
    tree_id,
    unsafe_path,
)
from wandb_repro.errors import CodeError

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
    """Return the files of a tree, all of them safe to write.

    Raises:
        CodeError: the tree is missing, exceeds the budget, or has a file that is refused.
    """
    files: list[TreeFile] = []
    left_bytes = budget.total_bytes
    with git.started("ls-tree", "-r", "-z", "-l", "--full-tree", tree) as process:
        assert process.stdout is not None  # noqa: S101  (it was requested)
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
    """Yield the parts that end with a NUL; an endless listing is read only as far as needed."""
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


def write_tree(git: Git, files: Sequence[TreeFile], folder: Path) -> None:
    """Create `folder` and the files in it. Links come last, so that nothing is written through one.

    Raises:
        CodeError: a link leads out of the folder, or git cannot give a file.
        OSError: a file cannot be created, such as two with the same name on this disk.
    """
    folder.mkdir()
    root = os.fsencode(folder)
    with contextlib.closing(_bodies(git, sorted(files, key=_is_link))) as bodies:
        for file, body in bodies:
            _write(root, file, body)
    _check_links(root, files)


def _is_link(file: TreeFile) -> bool:
    return file.mode == LINK


def blobs(git: Git, files: Iterable[TreeFile]) -> Iterator[tuple[TreeFile, bytes]]:
    """Yield each file with its bytes, one in memory at a time.

    Raises:
        CodeError: git cannot give a file.
    """
    for file, body in _bodies(git, files):
        yield file, b"".join(body)


def _bodies(
    git: Git, files: Iterable[TreeFile]
) -> Generator[tuple[TreeFile, Iterator[bytes]], None, None]:
    """Yield each file with its bytes in pieces, to be read before the next is requested."""
    with git.started("cat-file", "--batch") as process:
        requests, answers = process.stdin, process.stdout
        assert requests is not None  # noqa: S101  (both were requested)
        assert answers is not None  # noqa: S101
        for file in files:
            requests.write(file.blob.encode() + b"\n")
            requests.flush()
            yield file, _body(answers, file)


def _body(stream: IO[bytes], file: TreeFile) -> Iterator[bytes]:
    """Yield a blob as ``cat-file --batch`` prints it: a header, the bytes, a line end."""
    if stream.readline() != b"%s blob %d\n" % (file.blob.encode(), file.size_bytes):
        raise CodeError(f"the bundle lacks {readable(file.path)!r}")
    left_bytes = file.size_bytes
    while left_bytes:
        block = stream.read(min(left_bytes, _BLOCK_BYTES))
        if not block:
            raise CodeError(f"the bundle lacks a part of {readable(file.path)!r}")
        left_bytes -= len(block)
        yield block
    stream.read(1)


def _write(root: bytes, file: TreeFile, body: Iterator[bytes]) -> None:
    path = root + b"/" + file.path
    os.makedirs(os.path.dirname(path), exist_ok=True)  # noqa: PTH103, PTH120  (paths are bytes)
    if file.mode == LINK:
        os.symlink(_target(file, b"".join(body)), path)  # noqa: PTH211  (bytes)
        return
    permissions = 0o777 if file.mode == EXECUTABLE else 0o666
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
    with open(os.open(path, flags, permissions), "wb") as output:  # noqa: PTH123
        for block in body:
            output.write(block)


def _target(file: TreeFile, target: bytes) -> bytes:
    if b"\0" in target or link_escapes(file.path, target):
        raise CodeError(
            f"the code holds {readable(file.path)!r}, a link that leads out of it,"
            f" to {readable(target)!r}"
        )
    return target


def _check_links(root: bytes, files: Sequence[TreeFile]) -> None:
    """Follow each link: one that looks harmless may lead out through another."""
    top = os.path.realpath(root)
    for file in files:
        if file.mode == LINK:
            target = os.path.realpath(root + b"/" + file.path)
            if target != top and not target.startswith(top + b"/"):
                raise CodeError(f"the code holds {readable(file.path)!r}, which leads out of it")


def tree_on_disk(folder: Path) -> str:
    """Return git's id of the tree in a folder, after reading every file again."""
    root = os.fsencode(folder)
    entries: dict[bytes, Entry] = {}
    for parent, folders, names in os.walk(root):
        links = [name for name in folders if os.path.islink(parent + b"/" + name)]  # noqa: PTH114
        for name in (*names, *links):
            path = parent + b"/" + name
            entries[path[len(root) + 1 :]] = _entry(path)
    return tree_id(entries)


def _entry(path: bytes) -> Entry:
    mode = git_mode(os.lstat(path))
    if mode == LINK:
        return Entry(mode, blob_id(os.readlink(path)))  # noqa: PTH115
    with open(path, "rb") as file:  # noqa: PTH123
        return Entry(mode, blob_id(file.read()))
