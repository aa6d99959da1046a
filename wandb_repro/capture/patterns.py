"""Which paths a list of patterns names: git itself is asked, so they mean what people expect."""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path

from wandb_repro.capture.git import Git

__all__ = ["from_root", "matched"]

_GLOB = re.compile(r"([\\*?\[])")
_ALWAYS = "wandb-repro-always-matched"
"""NOTE: git ends with 1, as an error does, when no path matches; so one always does."""


def matched(private: Git, patterns: Sequence[str], paths: Iterable[bytes]) -> set[bytes]:
    """Return which of the paths the patterns name, as ``.gitignore`` would: the last match holds.

    Args:
        private: a repository of ours; nothing of the user's has a say.
        patterns: relative to the paths' root. None match nothing.
        paths: of files, relative to the root.

    Raises:
        CodeError: git fails.
    """
    if not patterns:
        return set()
    empty, file = private.git_dir / "nothing", private.git_dir / "patterns"
    empty.mkdir(exist_ok=True)
    file.write_bytes(os.fsencode("\n".join((*patterns, f"/{_ALWAYS}")) + "\n"))
    # NOTE: a path that begins with a colon would be taken for one of git's magic words.
    asked = b"".join(b"./" + path + b"\0" for path in (*paths, _ALWAYS.encode()))
    words = ("-c", f"core.excludesFile={file}", "check-ignore", "--no-index", "--stdin", "-z")
    with replace(private, work_tree=empty).started(*words) as process:
        told, _ = process.communicate(asked)
    return {path.removeprefix(b"./") for path in told.split(b"\0")[:-1]} - {_ALWAYS.encode()}


def from_root(pattern: str, *, base: Path, root: Path) -> str:
    """Return a pattern that was written for one folder as one for another; empty for no match.

    As in a ``.gitignore``, a pattern with a slash in it is about a place relative to `base`, one
    without about every name below. ``.`` and ``..`` may be used: ``../shared/``.

    Args:
        pattern: as its user wrote it.
        base: folder of the file in which it stands.
        root: folder that the paths are relative to.
    """
    sign, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if "/" not in body.rstrip("/") and body.rstrip("/") not in (".", ".."):
        if root.is_relative_to(base):
            return sign + body
        body = f"**/{body}"
    top, here = _escaped(root), _escaped(base)
    place = posixpath.normpath(f"{here}/{body.lstrip('/')}")
    if top == place or top.startswith(place.rstrip("/") + "/"):
        return f"{sign}/*"
    if not place.startswith(top.rstrip("/") + "/"):
        return ""
    return sign + place[len(top.rstrip("/")) :] + "/" * body.endswith("/")


def _escaped(folder: Path) -> str:
    return _GLOB.sub(r"\\\1", folder.as_posix())
