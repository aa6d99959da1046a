"""Scripts timed in processes of their own, since what is imported once is free afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from statistics import median

__all__ = ["QUIET", "lines_told", "median_of"]

QUIET = {
    "WANDB_MODE": "offline",
    "WANDB_SILENT": "true",
    "WANDB_REPRO_SILENT": "false",
    "TF_CPP_MIN_LOG_LEVEL": "3",
}


def lines_told(script: str, folder: Path, environment: dict[str, str] | None = None) -> list[str]:
    """Run a script and return what it printed, line by line."""
    path = folder / "timed.py"
    path.write_text(script, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, str(path)],
        cwd=folder,
        env={**os.environ, **QUIET, **(environment or {})},
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip().splitlines()


def median_of(
    rounds: int, *scripts: tuple[str, Path], environment: dict[str, str] | None = None
) -> list[float]:
    """Return the median of the number that each script prints last.

    The scripts take turns, so that whatever else the machine does hits all alike.
    """
    times = [
        [float(lines_told(script, folder, environment)[-1]) for script, folder in scripts]
        for _ in range(rounds)
    ]
    return [median(column) for column in zip(*times, strict=True)]
