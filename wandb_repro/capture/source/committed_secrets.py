"""Committed files that look like secrets: searched beside the script's start, before any leaves.

Whoever commits a secret has lost it to everybody with the repository; W&B need not get it too.
Searching 5,000 files takes longer than ``init`` may, so the snapshot is taken first.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence
from dataclasses import replace

from wandb_repro.capture.secrets.scan import SCANNED_BYTES, secret_in_text
from wandb_repro.capture.source.git import Git
from wandb_repro.capture.source.limits import Source, left_out
from wandb_repro.capture.source.objects import LINK
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.manifest.code import LeftOut

__all__ = ["SEARCH_S", "without_committed_secrets"]

SEARCH_S = 20.0
"""Longest time of a search; files that it does not reach stay. ``show --leaving`` finds them."""
_GIT_S = 60.0


def without_committed_secrets(snapshot: Snapshot, seconds: float = SEARCH_S) -> Snapshot:
    """Return the snapshot without what is committed, unchanged, and looks like a secret.

    All other files were searched when they were read.

    Raises:
        CodeError: git cannot give the files.
    """
    unsearched = _unsearched(snapshot)
    blobs = [snapshot.entries[source.path].blob for source in unsearched]
    until = time.monotonic() + seconds
    found: dict[bytes, LeftOut] = {}
    with contextlib.closing(_contents(snapshot.objects, blobs)) as contents:
        for source, data in zip(unsearched, contents, strict=False):
            if secret := secret_in_text(data, source.path):
                reason = f"looks like a secret ({secret})"
                found[source.path] = left_out(source.path, source.size_bytes, reason)
            if time.monotonic() > until:
                break
    return snapshot.without(found) if found else snapshot


def _unsearched(snapshot: Snapshot) -> list[Source]:
    """Return the files that HEAD holds too, the smallest first: settings are small."""
    head, entries = snapshot.listing.head, snapshot.entries
    cleared = snapshot.listing.not_secret
    files = (
        source
        for source in snapshot.storing.sources
        if source.path in entries and source.path in head and source.path not in cleared
    )
    return sorted(
        (
            source
            for source in files
            if head[source.path].blob == entries[source.path].blob
            and source.mode != LINK
            and source.size_bytes < SCANNED_BYTES
        ),
        key=lambda source: source.size_bytes,
    )


def _contents(git: Git, blobs: Sequence[str]) -> Generator[bytes, None, None]:
    """Yield the bytes of each object; no bytes for one that git lacks, as in a partial clone.

    Source: git-cat-file(1), "BATCH OUTPUT".
    """
    if not blobs:
        return
    with replace(git, timeout_s=_GIT_S).started("cat-file", "--batch") as process:
        asked, told = process.stdin, process.stdout
        assert asked is not None  # noqa: S101  (they were asked for)
        assert told is not None  # noqa: S101
        for blob in blobs:
            asked.write(blob.encode() + b"\n")
            asked.flush()
            _, _, rest = told.readline().partition(b" blob ")
            yield told.read(int(rest) + 1)[:-1] if rest else b""
