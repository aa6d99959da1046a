"""What a capsule says about whose it is, is not believed."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.recorded import Ask, Project, with_manifest
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import run_name
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.fetch import RemoteRun
from wandb_repro.workflows.prepare_rerun import name_work_folder, prepare, recorded_by
from wandb_repro.workflows.rerun_options import RerunOptions

CLAIMS = {
    "run.entity": "openai",
    "run.project": "flagship",
    "run.id": "official",
    "run.name": "signed by the security team",
    "run.url": "https://wandb.ai/openai/flagship/runs/official",
    "recorded_by": "the security team",
}


@pytest.fixture
def found(tmp_path: Path) -> RemoteRun:
    return RemoteRun(
        entity="mallory",
        project="digits",
        id="abc",
        name="name",
        url="https://wandb.example/mallory/digits/runs/abc",
        state="finished",
        user="mallory",
        capsule=Capsule(tmp_path),
        missing=(),
    )


def test_w_and_b_tells_who_recorded_a_run(found: RemoteRun) -> None:
    told = recorded_by(found)
    reported = "(reported by W&B at wandb.example, not verified)"
    assert told == f"mallory, as run mallory/digits/abc {reported}"


def test_a_server_that_does_not_tell_who_is_not_helped_out(found: RemoteRun) -> None:
    silent = replace(found, user=Unavailable(unavailable="W&B does not report it"))
    assert recorded_by(silent).startswith("an unknown user, as run mallory/")


def test_nobody_vouches_for_a_folder(numbers: Project, ask: Ask, tmp_path: Path) -> None:
    project = numbers.copy(tmp_path / "project")
    with_manifest(project, CLAIMS)

    plan = ask("rerun", project.run_folder, "--env", "here", "--dry-run", cwd=tmp_path)
    data = ask("rerun", project.run_folder, "--env", "here", "--dry-run", "--json", cwd=tmp_path)

    assert "recorded by unknown (a local folder)" in plan.text
    assert "security team" not in plan.text
    assert "https://wandb.ai" not in plan.text
    assert data.data["recorded_by"] == "unknown (a local folder)"


def test_a_run_of_w_and_b_goes_by_its_own_name(
    numbers: Project, tmp_path: Path, found: RemoteRun
) -> None:
    project = numbers.copy(tmp_path / "project")
    with_manifest(project, CLAIMS)

    prepared = prepare(
        project.capsule, tmp_path / "new", RerunOptions(environment="here"), found=found
    )

    assert run_name(prepared.manifest) == "mallory/digits/abc"
    assert prepared.manifest.run.name == "name"


def test_every_variable_that_is_set_is_shown(numbers: Project, ask: Ask, tmp_path: Path) -> None:
    project = numbers.copy(tmp_path / "project")
    with_manifest(project, {"execution.command.environment": {"XLA_FLAGS": "--a=b c"}})

    plan = ask("rerun", project.run_folder, "--env", "here", "--dry-run", cwd=tmp_path)

    for told in ("XLA_FLAGS='--a=b c'", "WANDB_PROJECT=numbers", "WANDB_JOB_TYPE=rerun"):
        assert told in plan.text
    assert "WANDB_DIR=" in plan.text


def test_without_a_terminal_and_without_yes_it_refuses_at_once(
    numbers: Project, ask: Ask, tmp_path: Path
) -> None:
    before = sorted(tmp_path.iterdir())

    answer = ask("rerun", numbers.run_folder, "--env", "here", cwd=tmp_path)

    assert answer.code == 4
    assert "recorded by" in answer.error
    assert "pass --yes" in answer.error
    assert sorted(tmp_path.iterdir()) == before


def test_a_work_folder_is_beside_wandbs_and_not_made_yet(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WANDB_DIR", raising=False)
    one, two = name_work_folder("abc"), name_work_folder("abc")
    assert one.parent == two.parent == tmp_path / "wandb"
    assert one.name.startswith("rerun-abc-")
    assert one != two
    assert list(tmp_path.iterdir()) == []
    monkeypatch.setenv("WANDB_DIR", str(tmp_path / "mine"))
    assert name_work_folder("abc").parent == tmp_path / "mine" / "wandb"


@pytest.mark.parametrize("run_id", ["../../etc", "a/b", "a\0b", "", "." * 300, "x" * 300])
def test_no_run_names_a_work_folder_elsewhere(run_id: str) -> None:
    folder = name_work_folder(run_id)
    assert folder.parent == Path("wandb").resolve()
    assert len(folder.name) < 100
