"""Which files a snapshot lacks, as ``show`` names them: one group for each reason."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import LeftOut
from wandb_repro.report.words import size

__all__ = ["left_out_rows", "named_file"]

_NAMED = 20
_DIGITS = 12


def left_out_rows(files: Iterable[LeftOut]) -> Iterator[tuple[str, str]]:
    """Yield a title and a reason with the names, sizes and digests of its files."""
    groups: dict[str, list[LeftOut]] = {}
    for file in files:
        groups.setdefault(file.reason, []).append(file)
    for reason, group in groups.items():
        more = f" and {len(group) - _NAMED:,} more (--json names them)"
        named = ", ".join(map(_named, group[:_NAMED]))
        yield "left out", f"{reason}: {named}{more if len(group) > _NAMED else ''}"


def _named(file: LeftOut) -> str:
    return named_file(file.path, file.size_bytes, file.digest)


def named_file(path: str, size_bytes: int | Unavailable, digest: str | Unavailable) -> str:
    """Return a file's name, with its size and the first digits of its digest."""
    told = [size(size_bytes)] if isinstance(size_bytes, int) else []
    if isinstance(digest, str):
        algorithm, _, digits = digest.partition(":")
        told.append(f"{algorithm}:{digits[:_DIGITS]}")
    return f"{path} ({', '.join(told)})" if told else path
