"""What is exported, really installed: by uv from the lock, by pip from the requirements."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.support.environments import (
    BASE_PYTHON,
    Environment,
    make_project,
    make_wheel,
    use_folder_as_index,
)
from tests.support.lean import packages_of
from tests.support.recorded import Ask, Project, with_manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.rerun.environment.compare import compare_environments
from wandb_repro.rerun.environment.uv import find_uv
from wandb_repro.store.capsule import Capsule


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = use_folder_as_index(tmp_path / "index", monkeypatch)
    make_wheel(folder, "small")
    return folder


@pytest.fixture
def exported(numbers: Project, tmp_path: Path, ask: Ask, index: Path) -> Path:
    """An export of a run with a package of an index and one in development; moved since."""
    project = numbers.copy(tmp_path / "project")
    own = make_project(tmp_path / "own", "in-place", files={"src/in_place/a.py": "A = 1"})
    environment = Environment(tmp_path / "recorded")
    environment.install("--no-index", "--find-links", str(index), "small")
    environment.install("--editable", str(own))
    shutil.rmtree(project.capsule.wheels)
    project.capsule.wheels.mkdir()
    packages = environment.packages(project.capsule.wheels).model_dump(mode="json")
    with_manifest(project, {"execution.packages": packages})
    index_variables = {name: os.environ[name] for name in ("UV_DEFAULT_INDEX", "UV_FIND_LINKS")}
    answer = ask("export", "latest", tmp_path / "out", cwd=project.folder, **index_variables)
    assert answer.code == 0, answer.err
    for gone in (project.folder, own, tmp_path / "recorded"):
        shutil.rmtree(gone)
    return (tmp_path / "out").rename(tmp_path / "moved")


def _installed_as_recorded(environment: Environment, exported: Path) -> None:
    packages = packages_of(Capsule(exported / "repro"))
    copy = environment.packages().distributions
    assert compare_environments(packages, copy) == ()


def test_uv_installs_the_recorded_environment_from_the_lock(exported: Path, tmp_path: Path) -> None:
    environment = Environment(tmp_path / "new")
    target = ("--python", str(environment.python))
    sync = [str(find_uv()), "pip", "sync", "--no-config", *target, str(exported / "pylock.toml")]
    subprocess.run(sync, check=True, capture_output=True)
    _installed_as_recorded(environment, exported)
    assert environment.run("import in_place.a, small; print(in_place.a.A)") == "1"


def test_pip_installs_the_recorded_environment_from_the_requirements(
    exported: Path, index: Path, tmp_path: Path
) -> None:
    environment = Environment(tmp_path / "new")
    words = ("--find-links", str(index), "--require-hashes", "--requirement", "requirements.txt")
    environment.install_by_pip(*words, cwd=exported)
    _installed_as_recorded(environment, exported)
    assert environment.run("import in_place.a, small; print(in_place.a.A)") == "1"


@pytest.mark.parametrize(
    "file", ["pylock.toml", pytest.param("requirements.txt", marks=pytest.mark.slow)]
)
def test_a_wheel_with_other_bytes_is_installed_by_neither(
    file: str, exported: Path, index: Path, tmp_path: Path
) -> None:
    (wheel,) = (exported / "repro" / "wheels").glob("*.whl")
    make_wheel(wheel.parent, "in-place", "0.0", files={"evil.py": ""})
    other = max(wheel.parent.iterdir(), key=lambda path: path.stat().st_mtime_ns)
    other.rename(wheel)
    environment = Environment(tmp_path / "new")
    if file == "pylock.toml":
        command = [str(find_uv()), "pip", "sync", "--no-config", "--python"]
        command += [str(environment.python), str(exported / file)]
    else:
        command = [str(BASE_PYTHON), "-m", "pip", "--python", str(environment.python), "install"]
        command += ["--isolated", "--no-index", "--find-links", str(index), "-r", file]
    done = subprocess.run(command, cwd=exported, capture_output=True, check=False)
    assert done.returncode != 0
    assert wheel.name.encode() in done.stderr
    assert not list(environment.site_packages.glob("in_place*"))


@pytest.mark.slow
def test_pip_installs_a_real_training_from_its_own_index(
    lean: Project, ask: Ask, tmp_path: Path
) -> None:
    assert ask("export", lean.run_folder, tmp_path / "out", cwd=tmp_path).code == 0
    environment = Environment(tmp_path / "new")
    pip = [str(BASE_PYTHON), "-m", "pip", "--python", str(environment.python), "install"]
    subprocess.run(
        [*pip, "--no-compile", "-r", "requirements.txt"], cwd=tmp_path / "out", check=True
    )
    _installed_as_recorded(environment, tmp_path / "out")
    packages: Packages = packages_of(Capsule(tmp_path / "out" / "repro"))
    assert len(packages.distributions) > 20
