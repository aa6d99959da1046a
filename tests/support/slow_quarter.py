"""Divides the slow tests into four quarters, of which the gate runs one for each commit.

A file belongs to one quarter as a whole: its tests share what their fixtures record.
"""

from __future__ import annotations

import hashlib
import subprocess
from pathlib import Path

__all__ = ["LONG_FILES", "QUARTERS", "chosen_quarter", "quarter_of"]

QUARTERS = 4

LONG_FILES = (
    *("test_demo", "test_process_exit", "test_rerun"),
    *("test_session_faults", "test_callback"),
)
"""Names of test files that take long without their slow tests."""


def quarter_of(file: str) -> int:
    """Return the quarter of a test file, 1 to 4.

    It depends on the name alone: neither the order of collection, the machine nor the other
    files change it.

    Args:
        file: from the repository's root, such as ``tests/online/test_rerun.py``.
    """
    # Any byte would do; with this one the quarters take about equally long.
    return hashlib.sha256(file.encode()).digest()[21] % QUARTERS + 1


def chosen_quarter(wish: str, repository: Path) -> int:
    """Return the quarter to run, 1 to 4.

    Args:
        wish: a number, or ``auto``: the number of commits chooses, so four landings of one
            commit each run every test once. Where there is no git repository, the first.
        repository: folder of the checkout.

    Raises:
        ValueError: the wish is neither.
    """
    if wish == "auto":
        return commits(repository) % QUARTERS + 1
    if wish not in map(str, range(1, QUARTERS + 1)):
        raise ValueError(f"--slow-quarter takes auto or 1 to {QUARTERS}, not {wish!r}")
    return int(wish)


def commits(repository: Path) -> int:
    """Return the number of commits that lead to the current one; 0 where git cannot say."""
    done = subprocess.run(
        ["git", "rev-list", "--count", "HEAD"],
        cwd=repository,
        capture_output=True,
        text=True,
        check=False,
    )
    return int(done.stdout) if done.returncode == 0 else 0
