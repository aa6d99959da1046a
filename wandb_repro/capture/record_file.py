"""RECORD: which files a distribution installed, and their hashes.

Source: Recording installed projects (PyPA), "The RECORD file": CSV, default dialect.
"""

from __future__ import annotations

import csv
import hashlib
import re
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
    rows = sorted(_compared_rows(record))
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


def _compared_rows(record: str) -> list[str]:
    """Return ``path,hash`` of each row that does not depend on who installed it.

    NOTE: TensorFlow alone has 20,000 rows: one call that cuts all of them, and a few that look
    through all, take a third of the time of looking at each.
    """
    rows = _rows(record)
    if ".pyc," in record:
        rows = [row for row in rows if ".pyc," not in row]
    if "../" in record or "\n/" in record or record.startswith(("/", '"/')):
        rows = [row for row in rows if not row.startswith(_OUTSIDE)]
    own = [row for row in rows if ".dist-info/" in row and not _by_installer(row)]
    return [*(row for row in rows if ".dist-info/" not in row), *own]


_OUTSIDE = ("../", "/")
_SIZE = re.compile(r",\d*\n")


def _rows(record: str) -> list[str]:
    lines = record.replace("\r\n", "\n").rstrip("\n") + "\n"
    if '"' not in lines:
        *rows, rest = _SIZE.split(lines)
        if not rest and len(rows) == lines.count("\n"):
            return rows
    return [_row(line) for line in lines.splitlines() if line]


def _row(line: str) -> str:
    return ",".join(next(_parsed([line]))[:2]) if '"' in line else line.rpartition(",")[0]


def _by_installer(row: str) -> bool:
    folder, _, name = row.rpartition(",")[0].rpartition("/")
    return folder.endswith(".dist-info") and name in INSTALLER_FILES
