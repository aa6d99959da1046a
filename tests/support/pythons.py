"""Other interpreters of the machine that runs the tests."""

from __future__ import annotations

import functools
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from wandb_repro.rerun.environment.uv import find_uv

__all__ = ["another_python", "without_shims"]


def without_shims(path: str) -> str:
    """Return a PATH without pyenv's shims: shell scripts, most of which fail.

    uv starts each that it finds there, for seconds.
    """
    return os.pathsep.join(it for it in path.split(os.pathsep) if "shims" not in it)


@functools.cache
def _others() -> tuple[Path, ...]:
    pyenv = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv")
    folders = [*map(str, pyenv.glob("versions/3.*/bin")), os.environ.get("PATH", "")]
    path = without_shims(os.pathsep.join(folders))
    words = ("python", "list", "--only-installed", "--offline", "--output-format", "json")
    done = subprocess.run(
        [str(find_uv()), "--no-config", *words],
        env={**os.environ, "PATH": path},
        capture_output=True,
        check=True,
    )
    own = list(sys.version_info[:2])
    return tuple(
        Path(one["path"])
        for one in json.loads(done.stdout)
        if one["implementation"] == "cpython"
        and own != [int(part) for part in one["version"].split(".")[:2]]
        and one["version"].startswith(("3.10.", "3.11.", "3.12.", "3.13."))
    )


def another_python() -> Path:
    """Return an interpreter of another minor version; skip the test where there is none."""
    if not _others():
        pytest.skip(f"no other Python than 3.{sys.version_info.minor} is on this machine")
    return _others()[0]
