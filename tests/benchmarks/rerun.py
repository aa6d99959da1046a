"""What a rerun adds to the wall time of the original."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import QUIET

_RERUN = ("-m", "wandb_repro", "rerun", "latest", "--yes")
_EXAMPLE = Path(__file__).parents[2] / "examples" / "quickstart.py"


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(_EXAMPLE, folder)
        original = min(_wall(folder, _EXAMPLE.name) for _ in range(2))
        yield f"the original: {original:.1f} s"
        yield from _reruns(folder, original, "--env here", 5, "--env", "here")
        yield from _reruns(folder, original, "the first", 15, "--env", "rebuild", "--no-cache")
        _wall(folder, *_RERUN, "--env", "rebuild")
        yield from _reruns(folder, original, "the second", 2, "--env", "rebuild")


def _reruns(
    folder: Path, original: float, name: str, budget: float, *options: str
) -> Iterator[str]:
    took = min(_wall(folder, *_RERUN, *options) for _ in range(2))
    yield f"rerun, {name}: {took:.1f} s, own part {took - original:.1f} s   (budget {budget})"


def _wall(folder: Path, *words: str) -> float:
    # What users have not set: with it every start would compile everything anew.
    kept = {name: os.environ[name] for name in os.environ if name != "PYTHONDONTWRITEBYTECODE"}
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**kept, **QUIET, "WANDB_REPRO_CACHE": str(folder / "cache")},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started
