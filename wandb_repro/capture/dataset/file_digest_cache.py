"""A cache of digests of data files, so that unchanged files are not read again.

A file counts as unchanged while its size, time of change and inode are the same, as in Git and DVC.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from pathlib import Path

from wandb_repro.files import cache_folder

_RACY_NS = 2_000_000_000
"""A file that changed this recently could change again within one tick of the file system's clock,
and keep its time ("racy git"): its digest is not kept."""


_MOST_FILES = 200_000
"""The oldest entries beyond this are deleted."""


_CREATE = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT, algorithm TEXT, size INTEGER, changed_ns INTEGER, inode TEXT, digest TEXT,
    PRIMARY KEY (path, algorithm)
)
"""


_SELECT = "SELECT size, changed_ns, inode, digest FROM files WHERE path = ? AND algorithm = ?"


_INSERT = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)"


_DELETE_OLD = "DELETE FROM files WHERE rowid <= (SELECT MAX(rowid) FROM files) - ?"


class FileDigestCache:
    """An SQLite file in the user's cache folder; if it cannot be used, the cache is empty.

    Args:
        file: the database; by default ``data.sqlite`` in the cache folder.
    """

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or cache_folder() / "data.sqlite"
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        with contextlib.suppress(sqlite3.Error, OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._file, timeout=2, check_same_thread=False)
            self._database.execute(_CREATE)

    def digest(self, path: str, status: os.stat_result, algorithm: str) -> str | None:
        """Return a file's digest; None if it is unknown or the file has changed.

        Args:
            path: absolute.
            status: current status of the file.
            algorithm: name of the digest's algorithm.
        """
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                key = (path, algorithm)
                row = self._database.execute(_SELECT, key).fetchone()
                if row is not None and row[:3] == _state(status):
                    return str(row[3])
        return None

    def add(self, path: str, status: os.stat_result, algorithm: str, digest: str) -> None:
        """Keep a digest of the file's current state."""
        if time.time_ns() - status.st_mtime_ns < _RACY_NS:
            return
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                row = (path, algorithm, *_state(status), digest)
                self._database.execute(_INSERT, row)

    def close(self) -> None:
        """Write the new digests and close the database."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                self._database.execute(_DELETE_OLD, (_MOST_FILES,))
                self._database.commit()
                self._database.close()
        self._database = None


def _state(status: os.stat_result) -> tuple[int, int, str]:
    # The inode as text: it may need 64 bits, SQLite has 63.
    return status.st_size, status.st_mtime_ns, str(status.st_ino)
