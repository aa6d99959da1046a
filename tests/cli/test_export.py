from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.environments import make_wheel, use_folder_as_index
from tests.support.recorded import Answer, Ask, Project, with_manifest
from tests.support.repositories import on_disk
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.command import Cell, Cells
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import read_cells, write_cells
from wandb_repro.store.local import read_manifest


def _small(numbers: Project, folder: Path) -> Project:
    """Return a copy whose environment was one small package of an index."""
    project = numbers.copy(folder)
    packages = json.loads(project.capsule.manifest.read_text())["execution"]["packages"]
    (one,) = (each for each in packages["distributions"] if each["name"] == "click")
    small = {**one, "name": "small", "version": "1.0", "tags": ["py3-none-any"]}
    _with_packages(project, small)
    return project


def _with_packages(project: Project, *found: Mapping[str, object]) -> None:
    """Record these distributions, all of them loaded."""
    names = [one["name"] for one in found]
    loaded = {"at_start": names, "at_end": names}
    with_manifest(
        project,
        {"execution.packages.distributions": list(found), "execution.packages.loaded": loaded},
    )


@pytest.fixture
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """An index that has one small package; variables that name it."""
    folder = use_folder_as_index(tmp_path / "index", monkeypatch)
    make_wheel(folder, "small")
    return {name: os.environ[name] for name in ("UV_DEFAULT_INDEX", "UV_FIND_LINKS")}


def test_a_run_is_exported_as_plain_files(
    numbers: Project, tmp_path: Path, ask: Ask, index: dict[str, str]
) -> None:
    project = _small(numbers, tmp_path / "project")
    out = tmp_path / "out"
    answer = ask("export", "latest", out, "--json", cwd=project.folder, **index)
    assert answer.code == 0, answer.err
    names = ["code", "pylock.toml", "repro", "requirements.txt", "rerun.sh"]
    assert answer.data == {"folder": str(out), "holds": names}
    assert sorted(path.name for path in out.iterdir()) == names
    assert set(on_disk(out / "code")) == {".gitignore", "network.py", "train.py"}
    assert read_manifest(Capsule(out / "repro")) == project.manifest
    assert "small==1.0" in (out / "requirements.txt").read_text()
    assert 'name = "small"' in (out / "pylock.toml").read_text()


def test_the_exported_script_is_a_plain_one_that_anybody_may_start(
    numbers: Project, tmp_path: Path, ask: Ask, index: dict[str, str]
) -> None:
    """An environment that already exists is used: here the one of the tests."""
    project = _small(numbers, tmp_path / "project")
    out = tmp_path / "out"
    assert ask("export", "latest", out, cwd=project.folder, **index).code == 0
    script = out / "rerun.sh"
    assert subprocess.run(["sh", "-n", script], check=False).returncode == 0
    (out / "env" / "bin").mkdir(parents=True)
    (out / "env" / "bin" / "python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (out / "env" / "bin" / "python").chmod(0o755)
    done = subprocess.run(
        [script, "--dry-run", "--json"],
        cwd="/",
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
        capture_output=True,
        check=True,
    )
    assert json.loads(done.stdout)["arguments"] == ["train.py"]


def _refused(answer: Answer, code: int, sentence: str, folder: Path) -> None:
    assert answer.code == code
    assert sentence in answer.error
    assert "Traceback" not in answer.err
    assert not folder.exists()


def test_a_package_that_cannot_be_had_any_more_leaves_no_folder(
    numbers: Project, tmp_path: Path, ask: Ask, index: dict[str, str]
) -> None:
    project = _small(numbers, tmp_path / "project")
    packages = json.loads(project.capsule.manifest.read_text())["execution"]["packages"]
    gone = {**packages["distributions"][0], "name": "gone"}
    _with_packages(project, gone)
    answer = ask("export", "latest", tmp_path / "out", cwd=project.folder, **index)
    _refused(answer, 4, "gone", tmp_path / "out")


def test_a_bundle_that_is_missing_leaves_no_folder(
    numbers: Project, tmp_path: Path, ask: Ask, index: dict[str, str]
) -> None:
    project = _small(numbers, tmp_path / "project")
    project.capsule.bundle.unlink()
    answer = ask("export", "latest", tmp_path / "out", cwd=project.folder, **index)
    _refused(answer, 4, "code.bundle", tmp_path / "out")


def test_a_folder_that_is_not_empty_is_left_alone(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    (tmp_path / "mine").touch()
    answer = ask("export", "latest", tmp_path, cwd=numbers.folder)
    assert answer.code == 2
    assert "is not empty" in answer.error
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_code_that_is_kept_on_this_machine_is_part_of_the_export(
    numbers: Project, tmp_path: Path, ask: Ask, index: dict[str, str]
) -> None:
    project = _small(numbers, tmp_path / "project")
    code = project.manifest.execution.code
    assert isinstance(code, Code)
    with_manifest(project, {"execution.code.bundle.kept": "local"})
    digest = json.loads(code.model_dump_json())["bundle"]["sha256"]
    local = tmp_path / "data" / "wandb_repro" / "code" / f"{digest}.bundle"
    local.parent.mkdir(parents=True)
    project.capsule.bundle.rename(local)
    out = tmp_path / "out"
    data = str(tmp_path / "data")
    answer = ask("export", "latest", out, cwd=project.folder, XDG_DATA_HOME=data, **index)
    assert answer.code == 0, answer.err
    assert (out / "repro" / "code.bundle").read_bytes() == local.read_bytes()
    local.unlink()  # as on any other machine
    words = ("rerun", out / "repro", "--env", "here", "--dry-run", "--json")
    assert ask(*words, cwd=tmp_path, XDG_DATA_HOME=data).data["arguments"] == ["train.py"]


def test_the_cells_of_a_notebook_are_part_of_the_export(
    numbers: Project, tmp_path: Path, ask: Ask, index: dict[str, str]
) -> None:
    project = _small(numbers, tmp_path / "project")
    cells = Cells(cells=(Cell(source="a = 1"),))
    file = write_cells(project.capsule, cells, redacted=(), kept="run")
    notebook = {"kind": "notebook", "cells": file.model_dump(mode="json")}
    with_manifest(project, {f"execution.command.{name}": notebook[name] for name in notebook})
    out = tmp_path / "out"
    answer = ask("export", "latest", out, cwd=project.folder, **index)
    assert answer.code == 0, answer.err
    assert read_cells(Capsule(out / "repro"), file) == cells


def test_only_what_the_run_loaded_is_locked_unless_all_is_asked_for(
    numbers: Project, tmp_path: Path, ask: Ask, index: dict[str, str]
) -> None:
    project = _small(numbers, tmp_path / "project")
    with_manifest(project, {"execution.packages.loaded": {"at_start": [], "at_end": []}})
    for words, locked in (((), ""), (("--packages", "all"), "small==1.0")):
        out = tmp_path / f"out{len(words)}"
        answer = ask("export", "latest", out, *words, cwd=project.folder, **index)
        assert answer.code == 0, answer.err
        assert (out / "requirements.txt").read_text().partition(" ")[0] == locked
