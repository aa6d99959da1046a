"""What a run used outside its snapshot, as ``show`` names it: what is stored, and what is not."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added
from wandb_repro.manifest.data import InputFile
from wandb_repro.report.left_out import first_of, named_file

__all__ = ["added_rows", "input_rows"]


def added_rows(added: Added | Unavailable) -> Iterator[tuple[str, str]]:
    """Yield a title and the names, sizes and digests of what is stored beside the snapshot."""
    if isinstance(added, Unavailable):
        yield "used outside", f"not known: {added}"
        return
    names = [named_file(it.path, it.size_bytes, it.digest) for it in added.files]
    yield "added", first_of(names)
    if added.known_until == "training":
        yield "used later", "not known: the record ends while it trained"


def input_rows(inputs: Sequence[InputFile]) -> Iterator[tuple[str, str]]:
    """Yield a title and the names of files that are not in the capsule, and why."""
    groups: dict[str, list[str]] = {}
    for it in inputs:
        named = named_file(it.path, it.size_bytes, it.digest)
        groups.setdefault(it.reason, []).append(named)
    yield "files read", first_of(groups.pop("", []))
    for reason, names in groups.items():
        yield "not stored", f"{reason}: {first_of(names)}"
