"""Real virtual environments, made by uv from tiny packages that lie in a temporary folder."""

from __future__ import annotations

import importlib.metadata
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest

from tests.support.fake_host import FakeHost
from wandb_repro.capture.packages.distributions import probe_packages
from wandb_repro.capture.packages.repack import repack_all
from wandb_repro.capture.packages.wheel import WheelFile, wheel_name, write_wheel
from wandb_repro.manifest.packages import Distribution, Packages
from wandb_repro.rerun.environment.uv import find_uv

__all__ = [
    "BASE_PYTHON",
    "Environment",
    "make_project",
    "make_wheel",
    "one_of",
    "use_folder_as_index",
]

BASE_PYTHON = Path(os.path.realpath(sys.executable))
"""The interpreter below the one that runs the tests."""


class Environment:
    """A virtual environment, looked at from outside."""

    def __init__(self, folder: Path, *, make: bool = True) -> None:
        self.folder = folder
        if make:
            _uv("venv", "--python", str(BASE_PYTHON), str(folder))
        self.python = folder / "bin" / "python"
        (self.site_packages,) = folder.glob("lib/python*/site-packages")

    @classmethod
    def at(cls, folder: Path) -> Environment:
        """Return one that was made already."""
        return cls(folder, make=False)

    def install(self, *what: str) -> Environment:
        """Install with uv and return itself."""
        _uv("pip", "install", "--quiet", "--no-deps", "--python", str(self.python), *what)
        return self

    def install_by_pip(self, *what: str, cwd: Path | None = None) -> Environment:
        """Install with the pip of the interpreter below, which asks no index."""
        pip = [str(BASE_PYTHON), "-m", "pip", "--python", str(self.python), "install"]
        options = ["--isolated", "--no-deps", "--no-index", "--disable-pip-version-check"]
        subprocess.run([*pip, *options, *what], check=True, capture_output=True, cwd=cwd)
        return self

    @property
    def host(self) -> FakeHost:
        """A process that would run in it."""
        found = importlib.metadata.distributions(path=[str(self.site_packages)])
        return FakeHost(installed=tuple(found), package_folders=(str(self.site_packages),))

    def packages(self, wheels: Path | None = None) -> Packages:
        """Return its record; with a folder for wheels, repacked as a run would."""
        found = probe_packages(self.host)
        assert isinstance(found, Packages)
        return found if wheels is None else repack_all(self.host, found, wheels)

    def distribution(self, name: str) -> importlib.metadata.Distribution:
        """Return one of its distributions."""
        (found,) = importlib.metadata.distributions(name=name, path=[str(self.site_packages)])
        return found

    @staticmethod
    def distributions_in(folder: Path) -> tuple[importlib.metadata.Distribution, ...]:
        """Return what a folder on the path would bring."""
        return tuple(importlib.metadata.distributions(path=[str(folder)]))

    def run(self, code: str) -> str:
        """Start its Python on a line of code and return what that printed."""
        done = subprocess.run(
            [str(self.python), "-c", code], capture_output=True, text=True, check=True
        )
        return done.stdout.strip()


def one_of(packages: Packages, name: str) -> Distribution:
    """Return the record of one distribution."""
    (found,) = (each for each in packages.distributions if each.name == name)
    return found


def make_wheel(
    folder: Path,
    name: str,
    version: str = "1.0",
    *,
    files: Mapping[str, str] | None = None,
    tags: Sequence[str] = ("py3-none-any",),
) -> Path:
    """Write a wheel by hand: a module of that name with a console script, and more files."""
    module = name.replace("-", "_")
    dist_info = f"{module}-{version}.dist-info"
    texts = {
        f"{module}.py": "def main():\n    print('hello')\n",
        f"{dist_info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{dist_info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\n"
        + "".join(f"Tag: {tag}\n" for tag in tags),
        f"{dist_info}/entry_points.txt": f"[console_scripts]\n{name} = {module}:main\n",
        **(files or {}),
    }
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / wheel_name(name, version, tags)
    write_wheel(path, {at: WheelFile(text.encode()) for at, text in texts.items()}, dist_info)
    return path


def make_project(folder: Path, name: str, *, files: Mapping[str, str] | None = None) -> Path:
    """Write a project that setuptools builds: a package of that name in ``src``."""
    module = name.replace("-", "_")
    texts = {
        "pyproject.toml": _PYPROJECT.format(name=name, module=module),
        f"src/{module}/__init__.py": "def main():\n    print('hello')\n",
        f"src/{module}/table.csv": "1,2\n",
        "tests/test_it.py": "def test_it(): ...\n",
        **(files or {}),
    }
    for at, text in texts.items():
        (folder / at).parent.mkdir(parents=True, exist_ok=True)
        (folder / at).write_text(text)
    return folder


_PYPROJECT = """\
[build-system]
requires = ["setuptools>=77"]
build-backend = "setuptools.build_meta"
[project]
name = "{name}"
version = "1.0"
[project.scripts]
{name} = "{module}:main"
[tool.setuptools.package-data]
"*" = ["*.csv"]
"""


_ENVIRON = {
    name: value
    for name, value in os.environ.items()
    if not name.startswith(("VIRTUAL_ENV", "PYTHON"))
}
"""As it was before a test changed anything: setuptools comes from the real index."""


def use_folder_as_index(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make a folder of wheels all that uv can install from, as a user would configure it."""
    folder.mkdir()
    empty = folder.with_name(f"{folder.name}-empty-index")
    empty.mkdir()
    monkeypatch.setenv("UV_DEFAULT_INDEX", empty.as_uri())
    monkeypatch.setenv("UV_FIND_LINKS", str(folder))
    return folder


def _uv(*arguments: str) -> None:
    subprocess.run(
        [str(find_uv()), "--no-config", *arguments],
        check=True,
        capture_output=True,
        env=_ENVIRON,
        cwd="/",
    )
