"""What ``wandb_repro.init`` adds to ``wandb.init``: 5,000 files, 200 MB of history."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import median_of
from tests.benchmarks.installed import more_packages

_FILES = 5_000
_HISTORY_BYTES, _COMMITS = 200_000_000, 10
_ROUNDS = 5
_OF_THE_CODE = {"clean": 0.3, "dirty": 0.5}
"""Budgets in seconds, of snapshot and bundle."""

# What the first use of ``wandb_repro.init`` imports counts. Keras is not imported: its own import
# took most of the time of this benchmark, and ``init`` only seeds it where it is there.
_INIT = """
import time
import wandb, wandb_repro
started = time.perf_counter()
{call}
took = time.perf_counter() - started
run.finish()
print(took)
"""
_PLAIN = _INIT.format(call="run = wandb.init(project='benchmark')")
_OURS = _INIT.format(call="run = wandb_repro.init(project='benchmark', seed=1)")
_NO_CODE = _INIT.format(call="run = wandb_repro.init(project='benchmark', seed=1, code='off')")


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "repository"
        environment = {"PYTHONPATH": str(more_packages(Path(name) / "packages"))}
        for state, budget in _OF_THE_CODE.items():
            _repository(folder, dirty=state == "dirty")
            scripts = [(script, folder) for script in (_PLAIN, _NO_CODE, _OURS)]
            plain, no_code, ours = median_of(_ROUNDS, *scripts, environment=environment)
            yield (
                f"{state}: wandb.init {plain:.2f} s, wandb_repro.init {ours:.2f} s, "
                f"difference {ours - plain:.2f} s   (budget 0.30)"
            )
            yield (
                f"{state}: of that, snapshot and bundle {ours - no_code:.2f} s   "
                f"(budget {budget:.2f})"
            )


def _repository(folder: Path, *, dirty: bool) -> None:
    if not folder.exists():
        for number in range(_FILES):
            path = folder / f"package{number % 50}" / f"module{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"VALUE = {number}\n" * 200, encoding="utf-8")
        (folder / ".gitignore").write_text("wandb/\ntimed.py\n", encoding="utf-8")
        _git(folder, "init", "-q")
        _history(folder)
    if dirty:
        for number in range(20):
            path = folder / f"package{number}" / f"module{number}.py"
            path.write_text(f"VALUE = -{number}\n" * 200, encoding="utf-8")
            (folder / f"untracked{number}.py").write_text("VALUE = 0\n", encoding="utf-8")


def _history(folder: Path) -> None:
    """Commit what no compression makes smaller, again and again, and at last remove it."""
    for _ in range(_COMMITS):
        (folder / "weights.bin").write_bytes(os.urandom(_HISTORY_BYTES // _COMMITS))
        _commit(folder)
    (folder / "weights.bin").unlink()
    _commit(folder)
    # Random bytes neither compress nor resemble each other: no time is spent on trying.
    _git(folder, "-c", "pack.compression=0", "repack", "-a", "-d", "-q", "--window=0")


def _commit(folder: Path) -> None:
    _git(folder, "add", ".")
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    _git(folder, *author, "commit", "-q", "-m", "All")


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)
