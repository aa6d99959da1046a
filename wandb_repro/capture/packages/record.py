"""RECORD: which files a distribution installed, and their hashes.

Digests are cached in the user's cache folder by the SHA-256 of RECORD's bytes, so a changed RECORD
never gets an old digest. The cache saves a third of the time of recording.

Source: Recording installed projects (PyPA), "The RECORD file": CSV, default dialect.
"""

from __future__ import annotations

import base64
import contextlib
import csv
import hashlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from pathlib import Path

from wandb_repro.files import cache_folder, sha256_of_bytes, write_atomically

_INSTALLER_FILES = frozenset(
    {
        *("RECORD", "RECORD.jws", "RECORD.p7s", "INSTALLER", "REQUESTED"),
        *("direct_url.json", "uv_cache.json", "uv_build.json"),
    }
)


def record_digest_of(record: str | bytes) -> str:
    """Return SHA-256 over the rows of a RECORD that do not depend on the installer.

    Changes with each installed file's path and hash. Does not change with the rows' order,
    ``.pyc`` files, scripts and data outside ``site-packages``, or the installer's own files.

    Args:
        record: content of RECORD, of an installed distribution or inside a wheel.

    Raises:
        ValueError: it is not CSV, or not UTF-8.
    """
    if isinstance(record, bytes):
        try:
            record = record.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ValueError(f"RECORD is not UTF-8: {error.reason}") from error
    rows = _compared_rows(record)
    return hashlib.sha256("\n".join(rows).encode()).hexdigest()


def record_hash(sha256: str) -> str:
    """Return a SHA-256 as RECORD writes it, without its algorithm.

    >>> record_hash("00" * 32)
    'AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA'

    Args:
        sha256: hexadecimal.

    Source: Binary distribution format (PyPA), "Signed wheel files": URL-safe base64, no padding.
    """
    return base64.urlsafe_b64encode(bytes.fromhex(sha256)).rstrip(b"=").decode()


def record_paths(record: str) -> tuple[str, ...]:
    """Return the path of each row of RECORD.

    Raises:
        ValueError: it is not CSV.
    """
    return tuple(row[0] for row in _parsed(record.splitlines()) if row)


def _parsed(lines: Iterable[str]) -> Iterator[list[str]]:
    try:
        yield from csv.reader(lines)
    except csv.Error as error:
        raise ValueError(f"RECORD is not CSV: {error}") from error


def _compared_rows(record: str) -> list[str]:
    """Return ``path,hash`` of each row that does not depend on the installer, sorted."""
    # 300 packages have 60,000 rows, so each row is touched as little as possible: the rows of a
    # folder are found by bisection, and most of them are sorted already.
    text = record.replace("\r\n", "\n") if "\r" in record else record
    if '"' in text:
        rows = [_row(line) for line in text.splitlines() if line]
    else:
        rows = [line.rpartition(",")[0] for line in text.split("\n") if line]
    if ".pyc," in text:
        rows = [row for row in rows if ".pyc," not in row]
    rows = [
        row for row in rows if _DIST_INFO not in row or not is_by_installer(row.rpartition(",")[0])
    ]
    rows.sort()
    for folder in _OUTSIDE:
        del rows[bisect_left(rows, folder) : bisect_left(rows, f"{folder[:-1]}0")]
    return rows


_OUTSIDE = ("../", "/")
"""Each ends in "/"; "0" is the next character."""

_DIST_INFO = ".dist-info/"


def _row(line: str) -> str:
    return ",".join(next(_parsed([line]))[:2]) if '"' in line else line.rpartition(",")[0]


def is_by_installer(path: str) -> bool:
    """Return whether a file of a ``.dist-info`` folder depends on the installer."""
    folder, _, name = path.rpartition("/")
    return folder.endswith(_DIST_INFO[:-1]) and name in _INSTALLER_FILES


_FILE = "record-digests-1"
"""The number is the version of ``record_digest_of``: if its result changes, so must the name."""
_MOST = 5_000
"""Digests that are kept; the oldest ones are dropped."""


class KnownRecords:
    """The cache of record digests; without a cache file, each digest is computed."""

    def __init__(self) -> None:
        self._file = cache_folder() / _FILE
        self._known = _read(self._file)
        self._is_new = False

    def digest_of(self, record: bytes) -> str:
        """Return ``record_digest_of`` of a RECORD's content.

        Raises:
            ValueError: it is not CSV, or not UTF-8.
        """
        key = sha256_of_bytes(record)
        if key not in self._known:
            self._known[key] = record_digest_of(record)
            self._is_new = True
        return self._known[key]

    def keep(self) -> None:
        """Write new digests to the cache file; errors of the disk are ignored."""
        if not self._is_new:
            return
        pairs = list(self._known.items())[-_MOST:]
        body = "".join(f"{key} {digest}\n" for key, digest in pairs).encode()
        with contextlib.suppress(OSError):
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(self._file, f"{sha256_of_bytes(body)}\n".encode() + body)


def _read(file: Path) -> dict[str, str]:
    """Return the cached digests; empty if the file is damaged."""
    with contextlib.suppress(OSError, ValueError):
        digest, _, body = file.read_bytes().partition(b"\n")
        if digest == sha256_of_bytes(body).encode():
            words = body.decode("ascii").split()
            return dict(zip(words[::2], words[1::2], strict=True))
    return {}
