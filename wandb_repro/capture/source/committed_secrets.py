"""Finds committed files that look like secrets, before anything is uploaded.

Everybody with the repository knows a committed secret; W&B should not get it too. Searching 5,000
files takes longer than ``init`` may, so it runs in the background, after the snapshot.
"""

from __future__ import annotations

import contextlib
import time
from collections.abc import Generator, Sequence
from dataclasses import replace

from wandb_repro.capture.secrets.scan import secret_in_text
from wandb_repro.capture.source.git import Git
from wandb_repro.capture.source.limits import SourceFile, left_out
from wandb_repro.capture.source.objects import LINK
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.manifest.code import LeftOut

SEARCH_S = 60.0
"""Limit of a search, of 1.2 GB. Files not searched by then are left out, the largest ones."""
_GIT_S = 60.0
_UNSEARCHED = "not searched for secrets"


def without_committed_secrets(snapshot: Snapshot, seconds: float = SEARCH_S) -> Snapshot:
    """Return the snapshot without committed, unchanged files that look like secrets.

    A file that could not be searched in time is left out too. All other files were searched when
    they were read.

    Raises:
        CodeError: git cannot read the files.
    """
    unsearched = _unsearched(snapshot)
    blobs = [snapshot.entries[source.path].blob for source in unsearched]
    until = time.monotonic() + seconds
    secrets: dict[bytes, LeftOut] = {}
    searched = 0
    with contextlib.closing(_contents(snapshot.objects, blobs)) as contents:
        for source, data in zip(unsearched, contents, strict=False):
            if time.monotonic() > until:
                break
            searched += 1
            if secret := secret_in_text(data, source.path):
                reason = f"looks like a secret ({secret})"
                secrets[source.path] = left_out(source.path, source.size_bytes, reason)
    for source in unsearched[searched:]:
        reason = f"{_UNSEARCHED} in {seconds:g} s"
        secrets[source.path] = left_out(source.path, source.size_bytes, reason)
    return snapshot.without(secrets) if secrets else snapshot


def _unsearched(snapshot: Snapshot) -> list[SourceFile]:
    """Return the files that are as in HEAD, smallest first: settings files are small."""
    head, entries = snapshot.listing.head, snapshot.entries
    not_secret = snapshot.listing.not_secret
    files = (
        source
        for source in snapshot.store.sources
        if source.path in entries
        and source.path in head
        and source.path not in not_secret
        and head[source.path].blob == entries[source.path].blob
        and source.mode != LINK
    )
    return sorted(files, key=lambda source: source.size_bytes)


def _contents(git: Git, blobs: Sequence[str]) -> Generator[bytes, None, None]:
    """Yield the bytes of each object; empty for one that git lacks, as in a partial clone.

    Source: git-cat-file(1), "BATCH OUTPUT".
    """
    if not blobs:
        return
    with replace(git, timeout_s=_GIT_S).started("cat-file", "--batch") as process:
        ids, contents = process.stdin, process.stdout
        assert ids is not None  # noqa: S101  (started with a pipe)
        assert contents is not None  # noqa: S101
        for blob in blobs:
            ids.write(blob.encode() + b"\n")
            ids.flush()
            _, _, rest = contents.readline().partition(b" blob ")
            yield contents.read(int(rest) + 1)[:-1] if rest else b""
