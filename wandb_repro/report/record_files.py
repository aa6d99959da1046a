"""Rows about files that a snapshot lacks, and files that the run used outside it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, LeftOut
from wandb_repro.manifest.data import InputFile, InputFolder
from wandb_repro.report.text import size

_NAMED = 8
"""Files that are named: each takes a line of a terminal."""

_DIGITS = 12


def left_out_rows(files: Iterable[LeftOut]) -> Iterator[tuple[str, str]]:
    """Yield a title and a reason with the names, sizes and digests of its files."""
    groups: dict[str, list[LeftOut]] = {}
    for file in files:
        groups.setdefault(file.reason, []).append(file)
    for reason, group in groups.items():
        named = [named_file(file.path, file.size_bytes, file.digest) for file in group]
        yield "left out", f"{reason}: {first_of(named)}"


def first_of(names: Sequence[str]) -> str:
    """Return the first names and the number of others."""
    more = f" and {len(names) - _NAMED:,} more (--json names them)" if len(names) > _NAMED else ""
    return ", ".join(names[:_NAMED]) + more


def named_file(path: str, size_bytes: int | Unavailable, digest: str | Unavailable) -> str:
    """Return a file's name, with its size and the first digits of its digest."""
    facts = [size(size_bytes)] if isinstance(size_bytes, int) else []
    if isinstance(digest, str):
        algorithm, _, digits = digest.partition(":")
        facts.append(f"{algorithm}:{digits[:_DIGITS]}")
    return f"{path} ({', '.join(facts)})" if facts else path


def added_rows(added: Added | Unavailable) -> Iterator[tuple[str, str]]:
    """Yield a title and the names, sizes and digests of files added to the snapshot."""
    if isinstance(added, Unavailable):
        yield "used outside", f"not known: {added}"
        return
    names = [named_file(file.path, file.size_bytes, file.digest) for file in added.files]
    yield "added", first_of(names)
    if added.known_until == "training":
        yield "used later", "not known: the record ends during training"


def input_rows(inputs: Sequence[InputFile]) -> Iterator[tuple[str, str]]:
    """Yield a title and the names of files that are not in the capsule, and why."""
    groups: dict[str, list[str]] = {}
    for file in inputs:
        named = named_file(file.path, file.size_bytes, file.digest)
        groups.setdefault(file.reason, []).append(named)
    yield "files read", first_of(groups.pop("", []))
    for reason, names in groups.items():
        yield "not stored", f"{reason}: {first_of(names)}"


def folder_rows(folders: Iterable[InputFolder]) -> Iterator[tuple[str, str]]:
    """Yield a title and each folder that was read and is not stored, why, and what was digested."""
    for folder in folders:
        digest = folder.digest
        known = digest if isinstance(digest, Unavailable) else digest.rpartition(":")[2][:_DIGITS]
        wrote = len(folder.written)
        own = f", without {wrote:,} that the run wrote" if wrote else ""
        yield "folder read", f"{folder}{own}, not stored: {folder.reason}; {known}"
