"""Installed distributions as benchmarks need them: this environment's own, and more up to 300."""

from __future__ import annotations

import importlib.metadata
from pathlib import Path

__all__ = ["PACKAGES", "more_packages"]

PACKAGES = 300

_METADATA = """\
Metadata-Version: 2.1
Name: {name}
Version: 1.{number}.0
Summary: Real enough
Author-email: Ada <ada@example.org>
License: Apache-2.0
Classifier: Programming Language :: Python :: 3
Requires-Python: >=3.10
{requires}
{description}
"""
_REQUIRES = (
    "numpy>=1.26",
    "packaging>=20",
    "typing-extensions>=4; python_version < '3.13'",
    "pytest>=7; extra == 'test'",
    "sphinx; extra == 'docs'",
)
_ROWS = (12, 25, 40, 60, 120, 400)
"""Files of a distribution, in turns: half of those on PyPI have fewer than 40."""


def more_packages(folder: Path) -> Path:
    """Write what importlib.metadata reads of a distribution, until there are 300 on the path."""
    there = len({found.name for found in importlib.metadata.distributions()})
    for number in range(max(0, PACKAGES - there)):
        _write(folder, f"filler-{number}", number)
    return folder


def _write(folder: Path, name: str, number: int) -> None:
    module = name.replace("-", "_")
    info = folder / f"{module}-1.{number}.0.dist-info"
    info.mkdir(parents=True)
    rows = [
        f"{module}/part{row % 7}/module{row}.py,sha256={number:04d}{row:039d},{1000 + row}"
        for row in range(_ROWS[number % len(_ROWS)])
    ]
    rows += [f"{info.name}/{file},," for file in ("RECORD", "INSTALLER", "REQUESTED")]
    rows.sort()  # as 146 of 147 installed wheels have them
    requires = "\n".join(f"Requires-Dist: {each}" for each in _REQUIRES)
    texts = {
        "RECORD": "\n".join(rows) + "\n",
        "METADATA": _METADATA.format(
            name=name, number=number, requires=requires, description="It trains. " * 400
        ),
        "WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        "INSTALLER": "uv\n",
        "entry_points.txt": f"[console_scripts]\n{name} = {module}:main\n",
        "top_level.txt": f"{module}\n",
    }
    for file, text in texts.items():
        (info / file).write_text(text, encoding="utf-8")
