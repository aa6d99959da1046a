"""RECORD: which files a distribution installed, and their hashes.

Source: Recording installed projects (PyPA), "The RECORD file": CSV, default dialect.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterable, Iterator

__all__ = ["INSTALLER_FILES", "record_digest_of", "record_paths"]

INSTALLER_FILES = frozenset(
    {
        *("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED"),
        *("direct_url.json", "uv_cache.json", "uv_build.json"),
    }
)
"""Files of a ``.dist-info`` folder that depend on who installed it."""


def record_digest_of(record: str) -> str:
    """Return SHA-256 over the rows of a RECORD that do not depend on who installed it.

    Changes with each installed file's path and hash. Does not change with the rows' order,
    ``.pyc`` files, scripts and data outside ``site-packages``, or the installer's own files.

    Args:
        record: text of the file RECORD, of an installed distribution or inside a wheel.

    Raises:
        ValueError: it is no CSV.
    """
    rows = sorted(_row(line) for line in record.splitlines() if _compared(line))
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def record_paths(record: str) -> tuple[str, ...]:
    """Return the path of each row of RECORD.

    Raises:
        ValueError: it is no CSV.
    """
    return tuple(row[0] for row in _parsed(record.splitlines()) if row)


def _parsed(lines: Iterable[str]) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines)
    except csv.Error as error:
        raise ValueError(f"RECORD is no CSV: {error}") from error


def _row(line: str) -> str:
    """Return ``path,hash`` of a line of RECORD.

    Source: Recording installed projects (PyPA), "The RECORD file": CSV, default dialect.
    """
    # NOTE: csv.reader takes three times as long.
    return ",".join(next(_parsed([line]))[:2]) if '"' in line else line.rpartition(",")[0]


def _compared(line: str) -> bool:
    # NOTE: TensorFlow alone has 20,000 rows, so the common answer is given first.
    if ".dist-info/" in line:
        folder, _, name = _row(line).rpartition(",")[0].rpartition("/")
        return not (folder.endswith(".dist-info") and name in INSTALLER_FILES)
    return bool(line) and ".pyc," not in line and not line.startswith(("../", "/", '"../', '"/'))
