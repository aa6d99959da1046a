from __future__ import annotations

import stat
from pathlib import Path

import pytest

from tests.support.recorded import Project, with_manifest
from wandb_repro.errors import CodeError, RefusedError, TrailError
from wandb_repro.manifest.manifest import run_name
from wandb_repro.workflows.prepare_rerun import prepare
from wandb_repro.workflows.rerun import carry_out
from wandb_repro.workflows.rerun_options import RerunOptions
from wandb_repro.workflows.stored_code import bundle_of
from wandb_repro.workflows.verify_capsules import verify_capsules

HERE = RerunOptions(environment="here")


def test_a_run_is_called_as_far_as_its_place_is_known(numbers: Project, tmp_path: Path) -> None:
    assert run_name(numbers.manifest) == f"numbers/{numbers.manifest.run.id}"
    project = numbers.copy(tmp_path / "project")
    changes = {"run.entity": "ada", "run.project": {"unavailable": "none"}, "run.id": "x"}
    assert run_name(with_manifest(project, changes)) == "ada/x"


def test_preparing_writes_nothing_and_makes_no_folder(numbers: Project, tmp_path: Path) -> None:
    prepared = prepare(numbers.capsule, tmp_path / "work", HERE)
    assert prepared.plan.arguments == ("train.py",)
    assert list(tmp_path.iterdir()) == []


def test_a_trail_that_cannot_be_believed_is_refused_before_anything_is_built(
    numbers: Project, tmp_path: Path
) -> None:
    project = numbers.copy(tmp_path / "project")
    project.capsule.trail.write_bytes(project.capsule.trail.read_bytes().replace(b"2", b"3", 1))
    with pytest.raises(TrailError):
        prepare(project.capsule, tmp_path / "work", HERE)


def test_a_working_folder_outside_the_tree_is_made_anew(numbers: Project, tmp_path: Path) -> None:
    project = numbers.copy(tmp_path / "project")
    outside = tmp_path / "outside"
    outside.mkdir()
    with_manifest(project, {"execution.command.working_directory": str(outside)})
    plan = prepare(project.capsule, tmp_path / "work", HERE).plan
    assert plan.cwd.is_relative_to(plan.tree_folder)


def test_code_that_is_kept_on_this_machine_is_looked_for_there(
    numbers: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    project = numbers.copy(tmp_path / "project")
    with_manifest(project, {"execution.code.bundle.kept": "local"})
    project.capsule.bundle.unlink()
    with pytest.raises(RefusedError) as caught:
        prepare(project.capsule, tmp_path / "work", HERE)
    assert "on the machine that recorded it" in caught.value.hint
    code = prepare(numbers.capsule, tmp_path / "work", HERE).plan.parts.code
    assert bundle_of(numbers.capsule, code) == numbers.capsule.bundle


def test_what_could_not_be_restored_leaves_no_folder(numbers: Project, tmp_path: Path) -> None:
    project = numbers.copy(tmp_path / "project")
    prepared = prepare(project.capsule, tmp_path / "new" / "work", HERE)
    project.capsule.bundle.write_bytes(b"not a bundle")
    with pytest.raises(CodeError):
        carry_out(prepared, lambda _: None)
    assert not (tmp_path / "new").exists()


def test_each_step_is_told_and_the_outcome_says_where_everything_is(
    numbers: Project, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in {"WANDB_MODE": "offline", "WANDB_SILENT": "true"}.items():
        monkeypatch.setenv(name, value)
    said: list[str] = []
    outcome = carry_out(prepare(numbers.capsule, tmp_path / "work", HERE), said.append)
    assert [sentence.split()[0] for sentence in said] == ["Restoring", "Training"]
    assert outcome.verdict.grade == "identical"
    assert outcome.url == ""
    assert outcome.capsule.folder.is_relative_to(outcome.work)
    again = verify_capsules(numbers.capsule, outcome.capsule)
    assert again.grade == "identical"
    assert again.digests == outcome.verdict.digests
    assert stat.S_ISDIR((outcome.work / "tree" / "project").stat().st_mode)
