"""How much of the data is read before a sample has to do, and for how long."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Of one part of the data."""

    array_bytes: int = 16 << 30
    """Of arrays in memory, above which rows at even distances are read."""
    stream_bytes: int = 1 << 30
    """Of what a pipeline gives, after which no more is read."""
    file_bytes: int = 16 << 30
    """Of a file or folder, above which each file is read in pieces."""
    row_bytes: int = 1 << 28
    """Of the rows of CSV and TFRecord files, after which no more are compared with other parts."""
    piece_bytes: int = 1 << 20
    """Of a piece of a file that is sampled; there are ``pieces`` of them."""
    pieces: int = 64
    seconds: float = 60
    """For a pipeline or folder; what takes longer has no digest."""


def megabytes(size_bytes: int) -> str:
    """Return a size for people: ``1,024 MB``."""
    return f"{max(1, round(size_bytes / 1e6)):,} MB"
