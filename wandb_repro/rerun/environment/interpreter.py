"""Finds the recorded Python on this machine, or names the nearest version.

Looked for where this machine and its user keep interpreters. The recorded path is never started,
nor is it looked at: whoever made the record chose it.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, cast

from wandb_repro.errors import RebuildError
from wandb_repro.manifest.packages import Interpreter
from wandb_repro.rerun.environment.uv import run_uv

_QUESTION = (
    "import json, os, sys; print(json.dumps(["
    "os.path.realpath(sys.executable), '.'.join(map(str, sys.version_info[:3])), sys.version, "
    "sys.implementation.name]))"
)


@dataclass(frozen=True)
class FoundPython:
    """An interpreter of this machine, outside any virtual environment."""

    path: Path
    version: str
    """``X.Y.Z``."""
    build: str
    """``sys.version``."""
    implementation: str


def find_python(wanted: Interpreter, python: Path | None = None) -> FoundPython:
    """Return an interpreter of the recorded version, of the same build if there is one.

    Args:
        wanted: what was recorded.
        python: an interpreter named by the user, of any version.

    Raises:
        RebuildError: there is none, or the named one does not start.
    """
    if python is not None:
        return _named(python)
    other_build: FoundPython | None = None
    known: list[Known] = []
    for candidate in _candidates(wanted, known):
        found = _ask(candidate)
        if found is None or not _is_version(found, wanted):
            continue
        if found.build == wanted.build:
            return found
        other_build = other_build or found
    if other_build is None:
        raise _not_here(wanted, known)
    return other_build


def _is_version(found: FoundPython, wanted: Interpreter) -> bool:
    return (found.version, found.implementation) == (wanted.version, wanted.implementation)


def _not_here(wanted: Interpreter, known: Iterable[Known]) -> RebuildError:
    nearest = nearest_python(wanted, known)
    cure = f"Install it (uv python install {wanted.version}, or pyenv), or name another"
    other = (
        f"; the nearest here is Python {nearest.version}: --python {nearest.path}."
        if nearest
        else ": --python PATH."
    )
    return RebuildError(
        f"Python {wanted.version} ({wanted.implementation}), which ran the original, is not on "
        "this machine.",
        hint=cure + other,
    )


def _named(python: Path) -> FoundPython:
    found = _ask(python)
    if found is None:
        raise RebuildError(
            f"{python} does not start as a Python interpreter.",
            hint="Give the path of an interpreter.",
        )
    return found


def _candidates(wanted: Interpreter, known: list[Known]) -> Iterator[Path]:
    """Yield paths where the version may be, likeliest first; add what uv finds to ``known``."""
    if not re.fullmatch(r"\d+\.\d+\.\d+\w*", wanted.version):
        return
    yield Path(sys.executable)
    short = wanted.version.rpartition(".")[0]
    yield _pyenv() / wanted.version / "bin" / "python"
    for folder in ("/usr/local/bin", "/usr/bin"):
        yield Path(folder, f"python{short}")
    yield from _of_conda(wanted.version)
    known += known_to_uv()
    yield from (python.path for python in known if python.version == wanted.version)


def _ask(python: Path) -> FoundPython | None:
    """Return what an interpreter reports about itself; None if it does not start.

    NOTE: only ``-S`` keeps the ``.pth`` files of its site-packages from running; ``-I`` does not.
    """
    with contextlib.suppress(OSError, ValueError, subprocess.SubprocessError):
        done = subprocess.run(
            [str(python), "-I", "-S", "-c", _QUESTION],
            capture_output=True,
            text=True,
            timeout=20,
            check=True,
            stdin=subprocess.DEVNULL,
        )
        path, version, build, implementation = cast("list[str]", json.loads(done.stdout))
        return FoundPython(Path(path), version, build, implementation)
    return None


_VERSION = re.compile(r"3\.(\d{1,3})\.(\d{1,3})")
_FIRST_MINOR = 10
"""Of the oldest Python that this package runs on."""


class Known(NamedTuple):
    """An interpreter that uv or its folder names; it was not started."""

    path: Path
    version: str


def known_to_uv() -> tuple[Known, ...]:
    """Return the interpreters of this implementation that uv installed or finds on PATH.

    NOTE: uv starts what it finds on PATH, which takes seconds with many pyenv shims.
    """
    words = ("python", "list", "--only-installed", "--offline", "--output-format", "json")
    answer = run_uv(words)
    return tuple(
        Known(Path(path), version)
        for entry in (_parsed(answer.output) if answer.returncode == 0 else [])
        if entry.get("implementation") == sys.implementation.name
        and (path := entry.get("path"))
        and _VERSION.fullmatch(version := entry.get("version") or "")
    )


def nearest_python(wanted: Interpreter, known: Iterable[Known]) -> Known | None:
    """Return the known or pyenv interpreter of the nearest version, the same minor version first.

    None if this package runs on none of them, or the recorded version is invalid.
    """
    recorded = _VERSION.fullmatch(wanted.version)
    if recorded is None or wanted.implementation != sys.implementation.name:
        return None
    minor, patch = int(recorded[1]), int(recorded[2])

    def distance(python: Known) -> tuple[int, int, str]:
        its_minor, its_patch = _numbers(python)
        away = abs(its_patch - patch) if its_minor == minor else -its_patch
        return abs(its_minor - minor), away, str(python.path)

    here = [python for python in (*_of_pyenv(), *known) if _numbers(python)[0] >= _FIRST_MINOR]
    return min(here, key=distance, default=None)


def _numbers(python: Known) -> tuple[int, int]:
    _, minor, patch = python.version.split(".")
    return int(minor), int(patch)


def _pyenv() -> Path:
    return Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv", "versions")


def _of_conda(version: str) -> Iterator[Path]:
    """Yield the interpreters of a version in the conda environments of this user."""
    # Source: conda 24, "conda-meta" and "environments.txt"; nothing has to be started for this.
    with contextlib.suppress(OSError, UnicodeDecodeError):
        for line in Path.home().joinpath(".conda", "environments.txt").read_text().splitlines():
            folder = Path(line)
            if folder.is_absolute() and any(folder.glob(f"conda-meta/python-{version}-*.json")):
                yield folder / "bin" / "python"


def _of_pyenv() -> Iterator[Known]:
    for python in _pyenv().glob("3.*/bin/python"):
        if _VERSION.fullmatch(python.parts[-3]):
            yield Known(python, python.parts[-3])


def _parsed(text: str) -> list[dict[str, str | None]]:
    try:
        return cast("list[dict[str, str | None]]", json.loads(text))
    except ValueError:
        return []
