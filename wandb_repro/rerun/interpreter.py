"""The Python that ran, found again on this machine."""

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
from typing import cast

from wandb_repro.errors import RebuildError
from wandb_repro.manifest.packages import Interpreter
from wandb_repro.rerun.nearest import Known, known_to_uv, nearest_python

__all__ = ["FoundPython", "find_python"]

_QUESTION = (
    "import json, os, sys; print(json.dumps(["
    "os.path.realpath(sys.executable), '.'.join(map(str, sys.version_info[:3])), sys.version, "
    "sys.implementation.name]))"
)


_PYTHON = re.compile(r"(python|pypy)[\d.]*")


@dataclass(frozen=True)
class FoundPython:
    """An interpreter of this machine, outside any virtual environment."""

    path: Path
    version: str
    """``X.Y.Z``."""
    build: str
    """``sys.version``."""
    implementation: str


def find_python(
    wanted: Interpreter, python: Path | None = None, *, outside: Path | None = None
) -> FoundPython:
    """Return an interpreter of the version that ran, of the same build where there is one.

    Args:
        wanted: what was recorded.
        python: one named by the user, taken whatever its version.
        outside: folder of the rerun; what lies in it came from the run and is not started.

    Raises:
        RebuildError: there is none, or the named one does not start.
    """
    if python is not None:
        return _named(python)
    other_build: FoundPython | None = None
    known: list[Known] = []
    for candidate in _candidates(wanted, outside, known):
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
            f"{python} is no Python that starts.", hint="Name the file of an interpreter."
        )
    return found


def _candidates(wanted: Interpreter, outside: Path | None, known: list[Known]) -> Iterator[Path]:
    """Yield where the version may be, the likeliest and quickest to ask first.

    Args:
        wanted: what was recorded.
        outside: folder of the rerun.
        known: gets what uv knows, once nothing else is left to ask.
    """
    if not re.fullmatch(r"\d+\.\d+\.\d+\w*", wanted.version):
        return
    yield Path(sys.executable)
    # The recorded path is a stranger's word: only what is called Python is started.
    recorded = Path(wanted.executable)
    own = outside is not None and recorded.resolve().is_relative_to(outside.resolve())
    if recorded.is_absolute() and not own and _PYTHON.fullmatch(recorded.name):
        yield recorded
    short = wanted.version.rpartition(".")[0]
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    yield pyenv / "versions" / wanted.version / "bin" / "python"
    for folder in ("/usr/local/bin", "/usr/bin"):
        yield Path(folder, f"python{short}")
    known += known_to_uv()
    yield from (one.path for one in known if one.version == wanted.version)


def _ask(python: Path) -> FoundPython | None:
    """Return what an interpreter says of itself; None where it does not start.

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
