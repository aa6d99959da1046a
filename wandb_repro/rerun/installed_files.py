"""Whether the files that were installed are those of their wheels.

An installer that links its cache's files hands on what somebody wrote into one of them, in any
environment of this machine; no installer looks. RECORD has the hash of each.
"""

from __future__ import annotations

import base64
import csv
import hashlib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

__all__ = ["unlike_their_wheel"]

_WORKERS = 4
_PIECE_BYTES = 1 << 20


def unlike_their_wheel(site_packages: Path) -> Iterator[str]:
    """Yield a sentence for each distribution with a file that has not the hash of its RECORD."""
    with ThreadPoolExecutor(_WORKERS) as pool:
        for record in sorted(site_packages.glob("*.dist-info/RECORD")):
            rows = [row for row in _rows(record) if row[1]]
            found = pool.map(partial(_is_other, site_packages), rows)
            other = [path for (path, _), is_other in zip(rows, found, strict=True) if is_other]
            if other:
                name = record.parent.name.partition("-")[0]
                yield (
                    f"{other[0]} is not the file of its wheel"
                    f"{f', nor are {len(other) - 1} more' if len(other) > 1 else ''}; "
                    f"if uv's cache was written into, mend it: uv cache clean {name}"
                )


def _rows(record: Path) -> list[tuple[str, str]]:
    with record.open(encoding="utf-8", newline="") as file:
        return [(row[0], row[1]) for row in csv.reader(file) if len(row) > 1]


def _is_other(folder: Path, row: tuple[str, str]) -> bool:
    path, recorded = row
    algorithm, _, value = recorded.partition("=")
    if algorithm != "sha256":
        return False
    digest = hashlib.sha256()
    try:
        with (folder / path).open("rb") as file:
            while piece := file.read(_PIECE_BYTES):
                digest.update(piece)
    except OSError:
        return True
    return base64.urlsafe_b64encode(digest.digest()).rstrip(b"=").decode() != value
