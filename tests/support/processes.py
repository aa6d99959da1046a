"""Which processes are there, and whether one is gone."""

from __future__ import annotations

import time
from pathlib import Path

__all__ = ["is_gone", "marked", "wait_until_gone"]

_SECONDS = 10


def is_gone(number: int) -> bool:
    """Tell whether a process has ended, reaped by whoever started it or not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def wait_until_gone(number: int) -> None:
    """Wait for the end of a process that was sent SIGKILL: the system ends it a moment later."""
    deadline = time.monotonic() + _SECONDS
    while not is_gone(number):
        assert time.monotonic() < deadline, f"process {number} is left"
        time.sleep(0.01)


def marked(mark: str) -> dict[int, str]:
    """Return the command lines of living processes whose environment holds a text, by number."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            if mark.encode() in (folder / "environ").read_bytes() and not is_gone(int(folder.name)):
                found[int(folder.name)] = (folder / "cmdline").read_text().replace("\0", " ")
        except OSError:
            continue
    return found
