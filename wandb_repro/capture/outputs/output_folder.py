"""Lists the files of a folder that a run leaves behind."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

MOST_FILES = 10_000


def files_below(top: Path) -> Iterator[tuple[str, Path]]:
    """Yield the name of every file below a folder, with slashes, and its path.

    Links to files are followed when they are read, links to folders are not. Pipes and devices
    count as files here: reading them is refused later, with a reason.

    Args:
        top: a folder; a file yields its own name.
    """
    if not top.is_dir():
        yield top.name, top
        return
    waiting = [""]
    while waiting:
        below = waiting.pop()
        try:
            entries = sorted(os.scandir(top / below), key=lambda entry: entry.name)
        except OSError:  # it was deleted meanwhile, or cannot be read: it holds no file for us
            continue
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                waiting.append(f"{below}{entry.name}/")
            elif not entry.is_dir():
                yield f"{below}{entry.name}", Path(entry.path)
