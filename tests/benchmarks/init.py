"""What ``wandb_repro.init`` adds to ``wandb.init``: 5,000 files, 200 MB of history."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import median_of

_FILES = 5_000
_PACKAGES = 300
_HISTORY_BYTES, _COMMITS = 200_000_000, 10
_ROUNDS = 7
_OF_THE_CODE = {"clean": 0.3, "dirty": 0.5}
"""Budgets in seconds, of snapshot and bundle."""

_INIT = """
import time
import keras, wandb, wandb_repro
wandb_repro.init
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
        environment = {"PYTHONPATH": str(_more_packages(Path(name) / "packages"))}
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
    _git(folder, "gc", "-q")


def _commit(folder: Path) -> None:
    _git(folder, "add", ".")
    author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
    _git(folder, *author, "commit", "-q", "-m", "All")


def _git(folder: Path, *words: str) -> None:
    subprocess.run(["git", *words], cwd=folder, check=True)


def _more_packages(folder: Path) -> Path:
    """Make what importlib.metadata reads of an installed package, until there are 300."""
    there = len({found.name for found in importlib.metadata.distributions()})
    for number in range(max(0, _PACKAGES - there)):
        info = folder / f"filler{number}-1.0.dist-info"
        info.mkdir(parents=True)
        rows = [f"filler{number}/m{row}.py,sha256={row:043d},100" for row in range(60)]
        (info / "RECORD").write_text("\n".join(rows) + "\n", encoding="utf-8")
        (info / "METADATA").write_text(
            f"Metadata-Version: 2.1\nName: filler{number}\nVersion: 1.0\n", encoding="utf-8"
        )
        (info / "WHEEL").write_text("Wheel-Version: 1.0\nTag: py3-none-any\n", encoding="utf-8")
        (info / "INSTALLER").write_text("uv\n", encoding="utf-8")
    return folder
