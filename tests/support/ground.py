"""An environment that is recorded, taken away, and built again from an index of its own."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.support.environments import BASE_PYTHON, Environment
from tests.support.package_index import PackageIndex
from wandb_repro.errors import RebuildError
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.environment.build import Rebuilt, rebuild

__all__ = ["CPYTHON", "MACHINE", "PLATFORM", "Ground", "ground", "is_equal"]

CPYTHON = f"cp3{sys.version_info.minor}"
MACHINE = sysconfig.get_platform().rpartition("-")[2]
PLATFORM = f"{CPYTHON}-{CPYTHON}-manylinux_2_17_{MACHINE}"


class Ground:
    """One environment that is recorded, and the folder in which it is built again."""

    def __init__(self, folder: Path, index: PackageIndex) -> None:
        self.folder = folder
        self.index = index
        self.environment = Environment(folder / "recorded")

    def install(self, *what: str) -> Packages:
        """Install from the index and return the record."""
        self.environment.install("--default-index", self.index.url, *what)
        return self.recorded()

    def install_by_pip(self, *what: str) -> Packages:
        """Install from the index with pip, building what has to be built."""
        pip = [str(BASE_PYTHON), "-m", "pip", "--python", str(self.environment.python)]
        options = ["--isolated", "--no-cache-dir", "--no-deps", "--index-url", self.index.url]
        subprocess.run([*pip, "install", *options, *what], check=True, capture_output=True)
        return self.recorded()

    def recorded(self) -> Packages:
        """Return the record, with the wheels of what no index gives back."""
        return self.environment.packages(self.wheels)

    @property
    def wheels(self) -> Path:
        """Folder of the capsule's wheels."""
        return self.folder / "wheels"

    def rebuilt(self, packages: Packages, *, python: Path | None = None) -> Rebuilt:
        """Build it again, the original's folder gone."""
        self.environment.folder.rename(self.folder / "away")
        said: list[str] = []
        new = self.folder / "new"
        return rebuild(packages, self.wheels, new, python=python, on_progress=said.append)

    def refused(self, packages: Packages, *, python: Path | None = None) -> RebuildError:
        """Try to build it again; nothing is made."""
        with pytest.raises(RebuildError) as caught:
            self.rebuilt(packages, python=python)
        assert not list(self.folder.glob("*new*"))
        return caught.value

    def prints(self, code: str) -> str:
        """Return what the new environment's Python prints."""
        return Environment.at(self.folder / "new").run(code)


@pytest.fixture
def ground(tmp_path: Path, package_index: PackageIndex) -> Ground:
    """Give an empty environment, and an index with nothing in it yet."""
    return Ground(tmp_path, package_index)


def is_equal(rebuilt: Rebuilt) -> None:
    """Assert that nothing of it is other than in the original."""
    assert rebuilt.inequalities == ()
    assert rebuilt.notes == ()
