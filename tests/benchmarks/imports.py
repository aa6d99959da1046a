"""What ``import wandb_repro`` adds to a script that has imported W&B."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import median_of

_IMPORT = """
import sys, time
import wandb
before = set(sys.modules)
started = time.perf_counter()
import wandb_repro
{more}
took = time.perf_counter() - started
heavy = {{"keras", "tensorflow", "jax", "torch", "git", "numpy"}} & (set(sys.modules) - before)
assert not heavy, heavy
print(took)
"""


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        bare = (_IMPORT.format(more=""), folder)
        used = (_IMPORT.format(more="wandb_repro.init"), folder)
        alone, with_init = median_of(5, bare, used)
    yield f"import wandb_repro after wandb        {alone * 1000:6.1f} ms   (budget 50)"
    yield f"and its init function, on first use   {with_init * 1000:6.1f} ms   (of init's 300)"
    yield "no framework, no git and no NumPy were imported"
