"""Finds the folder of the source tree."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from wandb_repro.errors import CodeError

# Folders of the system in which people also start scripts.
_SHARED = tuple(
    Path("/", *name.split("/"))
    for name in (
        *("bin", "boot", "dev", "etc", "home", "lib", "lib64", "media", "mnt", "opt", "proc"),
        *("root", "run", "sbin", "srv", "sys", "tmp", "usr", "usr/bin", "usr/lib", "usr/local"),
        *("usr/local/bin", "usr/src", "var", "var/tmp"),
    )
)


def repository_top(start: Path) -> Path | None:
    """Return the folder of the innermost work tree around `start`, or None.

    A repository of the home folder or of a shared folder, as some people keep for their settings,
    does not count.
    """
    found = innermost_repository(start)
    return None if found is None or holds_more_than_code(found) else found


def innermost_repository(start: Path) -> Path | None:
    """Return the innermost folder at or above `start` that holds ``.git``."""
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return None


def refuse_as_root(folder: Path) -> None:
    """Raise for a folder that holds more than a project's code.

    Raises:
        CodeError: it is the home folder, a parent of it, or a folder that all users share.
    """
    if holds_more_than_code(folder):
        raise CodeError(
            f"{folder} holds more than code and is not a git repository",
            hint="move the script into its own folder, or run `git init` there",
        )


def holds_more_than_code(folder: Path) -> bool:
    """Return whether a folder is the home folder, a parent of it, or shared by all users."""
    home = Path(os.path.realpath(Path.home()))
    temporary = Path(os.path.realpath(tempfile.gettempdir()))
    return folder in (home, *home.parents, temporary, *_SHARED)
