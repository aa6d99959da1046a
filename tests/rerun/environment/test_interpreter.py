from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tests.support.environments import BASE_PYTHON, Environment
from tests.support.pythons import without_shims
from wandb_repro.capture.host import Host
from wandb_repro.capture.packages.distributions import probe_packages
from wandb_repro.errors import RebuildError
from wandb_repro.manifest.packages import Interpreter, Packages
from wandb_repro.rerun.environment.interpreter import find_python


@pytest.fixture(autouse=True)
def no_shims(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", without_shims(os.environ.get("PATH", "")))


def _recorded(**changes: str) -> Interpreter:
    here = probe_packages(Host())
    assert isinstance(here, Packages)
    return here.interpreter.model_copy(update=changes)


def _script(path: Path, line: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{line}\n")
    path.chmod(0o755)
    return path


def test_the_interpreter_below_a_virtual_environment_is_found() -> None:
    found = find_python(_recorded())
    assert found.path == BASE_PYTHON
    assert found.version == _recorded().version


def test_no_hook_of_an_environment_runs_when_it_is_asked(tmp_path: Path) -> None:
    environment = Environment(tmp_path / "env")
    sentinel = tmp_path / "ran"
    hook = f"import pathlib; pathlib.Path({str(sentinel)!r}).touch()\n"
    (environment.site_packages / "hook.pth").write_text(hook)
    assert find_python(_recorded(), environment.python).path == BASE_PYTHON
    assert not sentinel.exists()


@pytest.mark.parametrize("version", ["3.7.99", "--help", "../3.11", "3.11.7; x"])
def test_a_version_that_is_not_here_is_told_with_a_cure(version: str) -> None:
    with pytest.raises(RebuildError) as caught:
        find_python(_recorded(version=version))
    assert version in caught.value.message
    assert "--python " in caught.value.hint


def test_the_recorded_path_is_never_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It answers as an interpreter of the wanted version, which no other is, does."""
    sentinel = tmp_path / "ran"
    path = tmp_path / "bin" / "python3"
    _script(path, f"touch {sentinel}; echo '{_answer(path, '3.7.99', 'a build')}'")
    monkeypatch.chdir(tmp_path)
    for executable in (path, "/proc/self/cwd/bin/python3", "bin/python3"):
        with pytest.raises(RebuildError):
            find_python(_recorded(executable=str(executable), version="3.7.99"))
        assert not sentinel.exists()


def test_an_interpreter_of_a_conda_environment_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The environments that conda lists for its user; none is started to learn its version."""
    monkeypatch.setenv("HOME", str(tmp_path))
    sentinel = tmp_path / "ran"
    for name, version in (("old", "3.7.98"), ("new", "3.7.99")):
        folder = tmp_path / name
        (folder / "conda-meta").mkdir(parents=True)
        (folder / "conda-meta" / f"python-{version}-h955ad1f_0.json").touch()
    _script(tmp_path / "old" / "bin" / "python", f"touch {sentinel}")
    python = tmp_path / "new" / "bin" / "python"
    _script(python, f"echo '{_answer(python, '3.7.99', 'a build')}'")
    (tmp_path / ".conda").mkdir()
    listed = [str(tmp_path / name) for name in ("gone", "old", "new")]
    (tmp_path / ".conda" / "environments.txt").write_text("\n".join(listed))
    assert find_python(_recorded(version="3.7.99")).path == python
    assert not sentinel.exists()


def test_a_program_that_is_no_python_is_told(tmp_path: Path) -> None:
    for python in (tmp_path / "absent", _script(tmp_path / "python3", "echo hello")):
        with pytest.raises(RebuildError, match="does not start as a Python interpreter"):
            find_python(_recorded(), python)


def _fake(folder: Path, version: str, build: str) -> Path:
    """Write what answers as an interpreter of that build does."""
    path = folder / "versions" / version / "bin" / "python"
    return _script(path, f"echo '{_answer(path, version, build)}'")


def _answer(path: Path, version: str, build: str) -> str:
    return json.dumps([str(path), version, build, "cpython"])


def test_of_two_builds_of_the_version_the_recorded_one_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The one that runs this has the version, and is another build."""
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    version = _recorded().version
    same = _fake(tmp_path, version, "3.x (the recorded build)")
    assert find_python(_recorded(build="3.x (the recorded build)")).path == same
    assert find_python(_recorded()).path == BASE_PYTHON
    assert find_python(_recorded(build="3.x (none of them)")).path == BASE_PYTHON


@pytest.mark.parametrize(
    ("wanted", "nearest"),
    [("3.98.3", "3.98.1"), ("3.98.9", "3.98.7"), ("3.97.1", "3.98.7"), ("3.99.1", "3.98.7")],
)
def test_the_nearest_that_is_here_is_named(
    wanted: str, nearest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYENV_ROOT", str(tmp_path))
    for version in ("3.98.1", "3.98.7", "3.9.1", "3.98.x"):
        _fake(tmp_path, version, "a build")
    with pytest.raises(RebuildError) as caught:
        find_python(_recorded(version=wanted))
    path = tmp_path / "versions" / nearest / "bin" / "python"
    assert f"the nearest here is Python {nearest}: --python {path}" in caught.value.hint
