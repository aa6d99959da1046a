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

_EXAMPLE = Path(__file__).parents[2] / "examples" / "quickstart.py"


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(_EXAMPLE, folder)
        original = min(_wall(folder, _EXAMPLE.name) for _ in range(2))
        yield f"the original: {original:.1f} s"
        for environment, budget in (("here", 5), ("rebuild", 15)):
            words = ("-m", "wandb_repro", "rerun", "latest", "--yes", "--env", environment)
            took = min(_wall(folder, *words) for _ in range(2))
            yield (
                f"rerun --env {environment}: {took:.1f} s, own part {took - original:.1f} s   "
                f"(budget {budget})"
            )


def _wall(folder: Path, *words: str) -> float:
    started = time.perf_counter()
    subprocess.run(
        [sys.executable, *words],
        cwd=folder,
        env={**os.environ, **QUIET},
        check=True,
        capture_output=True,
    )
    return time.perf_counter() - started
