"""Environments that are not one folder of uv's or pip's: modules, conda, another Python.

As whole processes: recorded in one, looked at in it, rerun from the capsule alone.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sysconfig
from pathlib import Path
from typing import Any

import pytest

from tests.support.environments import BASE_PYTHON, Environment, make_wheel, one_of
from tests.support.lean import packages_of
from tests.support.package_index import PackageIndex
from tests.support.pythons import another_python
from tests.support.recorded import NUMBERS, Ask, Project, newcomer
from wandb_repro.manifest.packages import Packages

REPOSITORY = Path(__file__).parents[2]
MODULES = os.pathsep.join([str(REPOSITORY), sysconfig.get_path("purelib")])
"""What ``module load`` puts on PYTHONPATH: here the environment of the tests."""


class Cluster:
    """An environment of one package; all others come from PYTHONPATH. A run is recorded in it."""

    def __init__(self, folder: Path, index: PackageIndex) -> None:
        self.index = index
        self.environment = Environment(folder / "own")
        self.install("tiny-thing==1.0")
        self.project = Project.made(folder / "project", f"import tiny_thing\n{NUMBERS}")

    def install(self, what: str) -> None:
        """Put a version of the package in place; of another nothing is left."""
        for path in self.environment.site_packages.glob("tiny_thing*"):
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.environment.install("--default-index", self.index.url, what)

    def by_conda(self) -> None:
        """Make the package look as conda leaves what it did not build with pip."""
        (info,) = self.environment.site_packages.glob("tiny_thing-*.dist-info")
        (info / "RECORD").unlink(missing_ok=True)
        (info / "INSTALLER").write_text("conda\n")
        (self.environment.folder / "conda-meta").mkdir(exist_ok=True)

    def record(self, *, index: str = "") -> Packages:
        """Run the script, its variables naming an index; return what it recorded of packages."""
        process = self.project.record(
            "train.py",
            python=self.environment.python,
            PYTHONPATH=MODULES,
            UV_INDEX=index,
            UV_EXTRA_INDEX_URL=index,
            PIP_INDEX_URL=index,
            PIP_EXTRA_INDEX_URL=index,
        )
        assert process.returncode == 0
        return packages_of(self.project.capsule)

    def rerun_here(self, *words: object) -> subprocess.CompletedProcess[str]:
        """Rerun it in this very environment."""
        command = [self.environment.python, "-m", "wandb_repro", "rerun", "latest", "--env", "here"]
        return subprocess.run(
            [*map(str, (*command, *words))],
            cwd=self.project.folder,
            env=newcomer(PYTHONPATH=MODULES),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )

    def plan_here(self) -> Any:
        """Return what a rerun here would do, as data."""
        done = self.rerun_here("--dry-run", "--json")
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)


@pytest.fixture
def cluster(tmp_path: Path, package_index: PackageIndex) -> Cluster:
    for version in ("1.0", "2.0"):
        make_wheel(package_index.folder, "tiny-thing", version)
    return Cluster(tmp_path, package_index)


@pytest.mark.slow
def test_packages_of_modules_on_the_path_are_recorded_and_compared_here(cluster: Cluster) -> None:
    packages = cluster.record()
    assert one_of(packages, "tiny-thing").found_in == ""
    assert one_of(packages, "numpy").found_in == sysconfig.get_path("purelib")
    plan = cluster.plan_here()
    assert plan["not_equal"] == []
    assert plan["environment"] == "the current one, as requested: its record equals the original's"
    cluster.install("tiny-thing==2.0")
    plan = cluster.plan_here()
    assert plan["not_equal"] == ["tiny-thing is 2.0; the original had 1.0"]
    assert "since here tiny-thing is different" in plan["environment"]
    done = cluster.rerun_here("--yes")
    assert done.returncode == 0, done.stderr
    assert "not equal       tiny-thing is 2.0; the original had 1.0" in done.stderr


@pytest.mark.slow
def test_the_password_of_an_extra_index_is_in_nothing_that_was_recorded(cluster: Cluster) -> None:
    cluster.index.password = "Tr0ub4dor-and-3"
    cluster.install("tiny-thing==2.0")
    packages = cluster.record(index=cluster.index.url)
    assert one_of(packages, "tiny-thing").version == "2.0"
    written = [path for path in cluster.project.folder.rglob("*") if path.is_file()]
    assert cluster.project.capsule.manifest in written
    for path in written:
        assert cluster.index.password.encode() not in path.read_bytes(), path


@pytest.mark.slow
def test_packages_of_conda_are_recorded_and_compared_here(cluster: Cluster) -> None:
    cluster.by_conda()
    packages = cluster.record()
    assert one_of(packages, "tiny-thing").installer == "conda"
    plan = cluster.plan_here()
    assert plan["not_equal"] == ["the files of tiny-thing cannot be compared"]
    assert "not known to be the original's, since here tiny-thing cannot be" in plan["environment"]
    cluster.install("tiny-thing==2.0")
    cluster.by_conda()
    assert cluster.plan_here()["not_equal"] == ["tiny-thing is 2.0; the original had 1.0"]


@pytest.mark.slow
def test_modules_and_an_environment_are_rebuilt_as_one(
    cluster: Cluster, ask: Ask, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both gone: the environment that is built has what was loaded of either."""
    cluster.record()
    monkeypatch.delenv("UV_DEFAULT_INDEX")  # the others are where they are for everybody
    run = cluster.project.run_folder.rename(tmp_path / "run")
    for gone in (cluster.project.folder, cluster.environment.folder):
        gone.rename(gone.with_name(f"{gone.name}-away"))
    words = ("rerun", run, "--env", "rebuild", "--yes", "--json")
    answer = ask(*words, cwd=tmp_path, UV_INDEX=cluster.index.url)
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
    assert answer.data["environment"] == []


def test_the_plan_says_plainly_that_another_python_stands_in(numbers: Project, ask: Ask) -> None:
    words = ("rerun", "latest", "--dry-run", "--python")
    answer = ask(*words, another_python(), cwd=numbers.folder)
    assert answer.code == 0, answer.err
    assert "stands in for the recorded cpython" in answer.text
    data = ask(*words, BASE_PYTHON, "--json", cwd=numbers.folder).data
    assert data["interpreter"].endswith(", the same build")


@pytest.mark.slow
def test_a_training_is_rerun_on_another_python_with_every_difference_named(
    lean: Project, ask: Ask, tmp_path: Path
) -> None:
    words = ("rerun", lean.run_folder, "--yes", "--python", another_python(), "--json")
    answer = ask(*words, cwd=tmp_path)
    assert "Not as in the original: Python 3." in answer.err
    assert "the files of numpy differ" in answer.data["environment"]
    assert answer.data["grade"] == "identical"
