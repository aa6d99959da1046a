"""Digests of files that were read before, so that an unchanged file is not read again.

A file is taken for unchanged while its size, time of change and inode are the same, as Git and DVC
do. One that was written in the last two seconds is not kept: within the clock's step it could
change again unseen ("racy git").
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import threading
import time
from pathlib import Path

from wandb_repro.capture.user_folder import cache_folder

__all__ = ["KnownFiles"]

_RACY_NS = 2_000_000_000
_MOST = 200_000
"""Files; older ones are forgotten."""

_MADE = """
CREATE TABLE IF NOT EXISTS files (
    path TEXT, algorithm TEXT, size INTEGER, changed_ns INTEGER, inode TEXT, digest TEXT,
    PRIMARY KEY (path, algorithm)
)
"""
_ASKED = "SELECT size, changed_ns, inode, digest FROM files WHERE path = ? AND algorithm = ?"
_KEPT = "INSERT OR REPLACE INTO files VALUES (?, ?, ?, ?, ?, ?)"
_FORGOTTEN = "DELETE FROM files WHERE rowid <= (SELECT MAX(rowid) FROM files) - ?"


class KnownFiles:
    """The user's, in the cache folder. Where there is no place for it, nothing is known."""

    def __init__(self, file: Path | None = None) -> None:
        self._file = file or cache_folder() / "data.sqlite"
        self._lock = threading.Lock()
        self._database: sqlite3.Connection | None = None
        with contextlib.suppress(sqlite3.Error, OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            self._database = sqlite3.connect(self._file, timeout=2, check_same_thread=False)
            self._database.execute(_MADE)

    def digest(self, path: str, status: os.stat_result, algorithm: str) -> str | None:
        """Return what a file's digest was; None when it is not known, or not of this state.

        Args:
            path: absolute.
            status: of the file now.
            algorithm: of the digest.
        """
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                key = (path, algorithm)
                found = self._database.execute(_ASKED, key).fetchone()
                if found is not None and found[:3] == _state(status):
                    return str(found[3])
        return None

    def keep(self, path: str, status: os.stat_result, algorithm: str, digest: str) -> None:
        """Keep a digest for the state that the file has."""
        if time.time_ns() - status.st_mtime_ns < _RACY_NS:
            return
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                row = (path, algorithm, *_state(status), digest)
                self._database.execute(_KEPT, row)

    def close(self) -> None:
        """Write what was learned."""
        with self._lock, contextlib.suppress(sqlite3.Error):
            if self._database is not None:
                self._database.execute(_FORGOTTEN, (_MOST,))
                self._database.commit()
                self._database.close()
        self._database = None


def _state(status: os.stat_result) -> tuple[int, int, str]:
    return status.st_size, status.st_mtime_ns, str(status.st_ino)  # may need all 64 bits
