"""Makes a diff of uncommitted changes for people; nothing is restored from it."""

from __future__ import annotations

import os
from typing import IO

from wandb_repro.capture.secrets.redact import redact_text
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.errors import CodeError

LIMIT_BYTES = 100_000
"""Limit of a diff that a person may want to read; the bundle has the rest."""
_PATHS_BYTES = 60_000
_PIECE_BYTES = 65_536


def changes(snapshot: Snapshot) -> str:
    """Return the diff from HEAD to the snapshot; empty if there is no commit.

    Two trees are compared inside the private repository: the user's work tree, index, attributes
    and diff programs are not used. Files that the snapshot leaves out are not in the diff, and
    text that looks like a credential is redacted.

    Raises:
        CodeError: git fails.
    """
    paths = _paths(snapshot.changed)
    if not snapshot.commit or not paths:
        return ""
    with snapshot.private.started(
        "--literal-pathspecs",
        "diff-tree",
        "-r",
        "-p",
        "--find-renames",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        snapshot.commit,
        snapshot.tree,
        "--",
        *paths,
    ) as process:
        if process.stdout is None:
            raise CodeError("git diff-tree has no output")
        kept, more = _read(process.stdout)
    text = kept.decode("utf-8", "replace")
    if more or len(paths) < len(snapshot.changed):
        text = text.rpartition("\n")[0] + "\n... and more, which the code bundle has\n"
    return redact_text(text)


def _paths(changed: tuple[str, ...]) -> list[str]:
    """Return as many paths as fit on a command line."""
    paths: list[str] = []
    length = 0
    for path in changed:
        length += len(os.fsencode(path)) + 1
        if length > _PATHS_BYTES:
            break
        paths.append(path)
    return paths


def _read(output: IO[bytes]) -> tuple[bytes, bool]:
    """Return the first bytes, and whether there were more; git would wait if it were not read."""
    kept = b""
    more = False
    while piece := output.read(_PIECE_BYTES):
        space = LIMIT_BYTES - len(kept)
        more = more or len(piece) > space
        kept += piece[:space]
    return kept, more
