"""What ``wandb_repro.init`` adds to ``wandb.init``: 5,000 files, 300 packages."""

from __future__ import annotations

import importlib.metadata
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import median_of

_FILES = 5_000
_PACKAGES = 300

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


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name) / "repository"
        environment = {"PYTHONPATH": str(_more_packages(Path(name) / "packages"))}
        for state in ("clean", "dirty"):
            _repository(folder, dirty=state == "dirty")
            plain, ours = median_of(5, (_PLAIN, folder), (_OURS, folder), environment=environment)
            yield (
                f"{state}: wandb.init {plain:.2f} s, wandb_repro.init {ours:.2f} s, "
                f"difference {ours - plain:.2f} s   (budget 0.30)"
            )


def _repository(folder: Path, *, dirty: bool) -> None:
    if not folder.exists():
        for number in range(_FILES):
            path = folder / f"package{number % 50}" / f"module{number}.py"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(f"VALUE = {number}\n" * 200, encoding="utf-8")
        (folder / ".gitignore").write_text("wandb/\ntimed.py\n", encoding="utf-8")
        author = ("-c", "user.name=Ada", "-c", "user.email=ada@example.com")
        for words in (("init", "-q"), ("add", "."), (*author, "commit", "-q", "-m", "All")):
            subprocess.run(["git", *words], cwd=folder, check=True)
    if dirty:
        for number in range(20):
            path = folder / f"package{number}" / f"module{number}.py"
            path.write_text(f"VALUE = -{number}\n" * 200, encoding="utf-8")
            (folder / f"untracked{number}.py").write_text("VALUE = 0\n", encoding="utf-8")


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
