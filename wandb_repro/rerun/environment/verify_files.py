"""Checks that the installed files are those of their wheels.

An installer that links files from its cache also links what somebody wrote into them, in any
environment of this machine. No installer checks that. RECORD has the hash of each file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from pathlib import Path

from wandb_repro.capture.packages.record import record_hash
from wandb_repro.files import sha256_of_file

_WORKERS = 4
_AT_ONCE = 200
"""Files of one task: for 28,000 files, one task each took longer than reading them."""


def unlike_their_wheel(site_packages: Path) -> Iterator[str]:
    """Yield a sentence for each distribution with a file that does not match its RECORD."""
    records = sorted(site_packages.glob("*.dist-info/RECORD"))
    with ThreadPoolExecutor(_WORKERS) as pool:
        tasks = [list(_tasks(pool, site_packages, record)) for record in records]
        for record, parts in zip(records, tasks, strict=True):
            changed = [path for part in parts for path in part.result()]
            if changed:
                name = record.parent.name.partition("-")[0]
                more = f", nor are {len(changed) - 1} more" if len(changed) > 1 else ""
                yield (
                    f"{changed[0]} is not the file of its wheel{more}; "
                    f"if uv's cache was modified, run uv cache clean {name}"
                )


def _tasks(pool: Executor, folder: Path, record: Path) -> Iterator[Future[list[str]]]:
    rows = [row for row in _rows(record) if row[1]]
    for first in range(0, len(rows), _AT_ONCE):
        yield pool.submit(_changed_files, f"{folder}/", rows[first : first + _AT_ONCE])


def _changed_files(folder: str, rows: list[tuple[str, str]]) -> list[str]:
    return [path for path, recorded in rows if _is_changed(folder + path, recorded)]


def _rows(record: Path) -> list[tuple[str, str]]:
    with record.open(encoding="utf-8", newline="") as file:
        return [(row[0], row[1]) for row in csv.reader(file) if len(row) > 1]


def _is_changed(path: str, recorded: str) -> bool:
    algorithm, _, value = recorded.partition("=")
    if algorithm != "sha256":
        return False
    try:
        return record_hash(sha256_of_file(path)) != value
    except OSError:
        return True
