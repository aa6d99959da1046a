"""The Python of this machine that is nearest to one that is not here."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple, cast

from wandb_repro.manifest.packages import Interpreter
from wandb_repro.rerun.uv import run_uv

__all__ = ["Known", "known_to_uv", "nearest_python"]

_VERSION = re.compile(r"3\.(\d{1,3})\.(\d{1,3})")
_FIRST_MINOR = 10
"""Of what this package runs on."""


class Known(NamedTuple):
    """An interpreter as its folder or uv names it; it was not started."""

    path: Path
    version: str


def known_to_uv() -> tuple[Known, ...]:
    """Return the interpreters of this one's kind that uv finds: on PATH, and those it installed.

    NOTE: uv starts what it finds on PATH: seconds where that is full of pyenv's shims.
    """
    words = ("python", "list", "--only-installed", "--offline", "--output-format", "json")
    answer = run_uv(words)
    return tuple(
        Known(Path(path), version)
        for one in (_parsed(answer.output) if answer.returncode == 0 else [])
        if one.get("implementation") == sys.implementation.name
        and (path := one.get("path"))
        and _VERSION.fullmatch(version := one.get("version") or "")
    )


def nearest_python(wanted: Interpreter, known: Iterable[Known]) -> Known | None:
    """Return the interpreter whose version is nearest, the same minor version first.

    None where there is none that this package runs on, or the record tells no version.

    Args:
        wanted: what was recorded.
        known: what is here beside the folder of pyenv.
    """
    told = _VERSION.fullmatch(wanted.version)
    if told is None or wanted.implementation != sys.implementation.name:
        return None
    minor, patch = int(told[1]), int(told[2])

    def distance(one: Known) -> tuple[int, int, str]:
        own_minor, own_patch = _numbers(one)
        away = abs(own_patch - patch) if own_minor == minor else -own_patch
        return abs(own_minor - minor), away, str(one.path)

    here = [one for one in (*_of_pyenv(), *known) if _numbers(one)[0] >= _FIRST_MINOR]
    return min(here, key=distance, default=None)


def _numbers(one: Known) -> tuple[int, int]:
    _, minor, patch = one.version.split(".")
    return int(minor), int(patch)


def _of_pyenv() -> Iterator[Known]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    for python in pyenv.glob("versions/3.*/bin/python"):
        if _VERSION.fullmatch(python.parts[-3]):
            yield Known(python, python.parts[-3])


def _parsed(text: str) -> list[dict[str, str | None]]:
    try:
        return cast("list[dict[str, str | None]]", json.loads(text))
    except ValueError:
        return []
