"""Which folder the source tree is."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from wandb_repro.errors import CodeError

# Folders of the system, that people also start scripts in.
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

    A repository whose work tree is the home folder or a shared one, as some keep for their
    settings, is not taken for the one of a project.
    """
    found = innermost_repository(start)
    return None if found is None or holds_more_than_code(found) else found


def innermost_repository(start: Path) -> Path | None:
    """Return the innermost folder at or above `start` that holds ``.git``, whatever it is."""
    for folder in (start, *start.parents):
        if (folder / ".git").exists():
            return folder
    return None


def refuse_as_root(folder: Path) -> None:
    """Raise for a folder that holds much that is no code of a project.

    Raises:
        CodeError: it is the home folder, a folder around it, or one that all users share.
    """
    if holds_more_than_code(folder):
        raise CodeError(
            f"{folder} holds more than code and is no git repository of its own",
            hint="move the script into a folder of its own, or run `git init` there",
        )


def holds_more_than_code(folder: Path) -> bool:
    """Tell whether a folder is the home folder, one around it, or one that all users share."""
    home = Path(os.path.realpath(Path.home()))
    temporary = Path(os.path.realpath(tempfile.gettempdir()))
    return folder in (home, *home.parents, temporary, *_SHARED)
