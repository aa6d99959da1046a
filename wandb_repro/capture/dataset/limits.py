"""How much of the data is read, and for how long; of larger data a sample is read."""

from __future__ import annotations

from typing import NamedTuple


class Limits(NamedTuple):
    """Limits for one part of the data."""

    array_bytes: int = 16 << 30
    """Of arrays in memory; of larger ones, evenly spaced rows are read."""
    stream_bytes: int = 1 << 30
    """Read from a pipeline at most."""
    file_bytes: int = 16 << 30
    """Of a file or folder; of larger ones, pieces of each file are read."""
    row_bytes: int = 1 << 28
    """Of rows read from CSV, TFRecord and Parquet files at most."""
    piece_bytes: int = 1 << 20
    """Of each of the ``pieces`` of a sampled file."""
    pieces: int = 64
    files: int = 2_000_000
    """In a folder at most."""
    seconds: float = 60
    """To read a pipeline or folder; data that takes longer has no digest."""


def megabytes(size_bytes: int) -> str:
    """Return a size for people: ``1,024 MB``."""
    return f"{max(1, round(size_bytes / 1e6)):,} MB"
