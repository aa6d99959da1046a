"""Record digests that were worked out before, so that no RECORD is read apart twice.

Kept in the user's cache folder by the SHA-256 of RECORD's own bytes: whatever happens to an
installation, no digest is ever given for another text. A third of what recording takes is saved.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from pathlib import Path

from wandb_repro.capture.record_file import record_digest_of
from wandb_repro.capture.user_folder import cache_folder

__all__ = ["KnownRecords"]

_FILE = "record-digests-1"
"""Its number is that of ``record_digest_of``: another result needs another file."""
_MOST = 5_000
"""Texts; those that were learned first are forgotten."""


class KnownRecords:
    """What is known. Where there is no place to keep it, each digest is worked out."""

    def __init__(self) -> None:
        self._file = cache_folder() / _FILE
        self._known = _read(self._file)
        self._is_new = False

    def digest_of(self, record: bytes) -> str:
        """Return ``record_digest_of`` of what RECORD holds.

        Raises:
            ValueError: it is no CSV, or no UTF-8.
        """
        key = hashlib.sha256(record).hexdigest()
        if key not in self._known:
            self._known[key] = record_digest_of(record)
            self._is_new = True
        return self._known[key]

    def keep(self) -> None:
        """Write what was learned; nothing is said where the disk does not take it."""
        if not self._is_new:
            return
        pairs = list(self._known.items())[-_MOST:]
        body = "".join(f"{key} {digest}\n" for key, digest in pairs).encode()
        temporary = self._file.with_name(f".{_FILE}.{os.getpid()}.tmp")
        with contextlib.suppress(OSError):
            try:
                self._file.parent.mkdir(parents=True, exist_ok=True)
                temporary.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
                temporary.replace(self._file)
            finally:
                temporary.unlink(missing_ok=True)


def _read(file: Path) -> dict[str, str]:
    """Return what was kept; nothing where the file is not as it was written."""
    with contextlib.suppress(OSError, ValueError):
        digest, _, body = file.read_bytes().partition(b"\n")
        if digest == hashlib.sha256(body).hexdigest().encode():
            words = body.decode("ascii").split()
            return dict(zip(words[::2], words[1::2], strict=True))
    return {}
