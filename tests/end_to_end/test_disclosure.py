"""``show --uploads``: what of a run leaves the machine."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.planted import KINDS, signs
from tests.support.recorded import NUMBERS, Ask, Project, with_manifest
from wandb_repro.capture.source.bundle import PackedFile, pack_files


def test_every_file_of_the_run_is_named_with_its_size(numbers: Project, ask: Ask) -> None:
    answer = ask("show", "latest", "--uploads", cwd=numbers.folder)

    assert answer.code == 0, answer.err
    parts = [path for path in numbers.capsule.folder.rglob("*") if path.is_file()]
    assert parts
    for part in parts:
        assert part.relative_to(numbers.capsule.folder).as_posix() in answer.out
    assert "will be uploaded when it is synced" in answer.text
    assert "requirements.txt" in answer.text
    assert max(map(len, answer.out.splitlines())) <= 80


def test_fields_and_variables_are_named(numbers: Project, tmp_path: Path, ask: Ask) -> None:
    project = numbers.copy(tmp_path / "project")
    with_manifest(project, {"execution.command.environment": {"PYTHONHASHSEED": "0"}})

    told = ask("show", "latest", "--uploads", "--json", cwd=project.folder).data

    assert told["environment"] == ["PYTHONHASHSEED"]
    assert {"command", "code", "packages", "config"} <= set(told["fields"]["execution"])
    assert told["ours"]["manifest.json"] == project.capsule.manifest.stat().st_size
    assert told["warnings"] == []


def test_nothing_needs_a_look_where_there_is_no_secret(numbers: Project, ask: Ask) -> None:
    assert "Check these" not in ask("show", "latest", "--uploads", cwd=numbers.folder).out


def test_code_that_stays_is_said_to_stay(numbers: Project, tmp_path: Path, ask: Ask) -> None:
    project = numbers.copy(tmp_path / "project")
    with_manifest(project, {"execution.code.bundle.kept": "local"})

    answer = ask("show", "latest", "--uploads", cwd=project.folder)

    assert "source not uploaded: code=local keeps it on this machine" in answer.text


def test_a_committed_secret_stays_and_is_named(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    planted = KINDS["a Stripe key"]
    project.repository.write(planted.file, planted.content)
    project.repository.commit()
    assert project.record("train.py").returncode == 0

    answer = ask("show", "latest", "--uploads", cwd=project.folder)

    assert f"looks like a secret (it holds a token for Stripe): {planted.file}" in answer.text
    assert "not_secret in [tool.wandb_repro]" in answer.text
    assert "Check these first" not in answer.text
    assert planted.value not in answer.out


@pytest.mark.slow
def test_a_committed_secret_that_an_older_record_holds_is_named(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    assert project.record("train.py").returncode == 0
    planted = KINDS["a Stripe key"]
    packed = {planted.file.encode(): PackedFile(planted.content.encode(), executable=False)}
    tree, bundle = pack_files(packed, project.capsule.bundle)
    told = {"execution.code.tree": tree, "execution.code.bundle": bundle.model_dump()}
    with_manifest(project, told)

    answer = ask("show", "latest", "--uploads", cwd=project.folder)

    assert re.search(rf"{planted.file} is committed .* it holds a token for Stripe", answer.text)
    assert planted.value not in answer.out


@pytest.mark.slow
def test_what_w_and_b_has_of_the_command_line_is_told(tmp_path: Path, ask: Ask) -> None:
    script = NUMBERS.replace(
        'run = wandb_repro.init(project="numbers", config={"epochs": 3}, seed=7)',
        "import wandb\n"
        'run = wandb_repro.attach(wandb.init(config={"epochs": 1, "api_key": sys.argv.pop()}))\n'
        "sys.argv.pop()",
    )
    project = Project.made(tmp_path / "project", script)
    secret = signs("argv", 30)
    assert project.record("train.py", "--api-key", secret).returncode == 0

    answer = ask("show", "latest", "--uploads", cwd=project.folder)

    assert "W&B itself has the whole command line" in answer.text
    assert "config.api_key looks like a credential" in answer.text
    assert secret not in answer.out


def test_started_by_us_w_and_b_has_no_credential(tmp_path: Path, ask: Ask) -> None:
    script = NUMBERS.replace(
        "np.random.normal(size=SIZE)\n", "np.zeros(SIZE)\nsys.argv[1:] = []\n", 1
    )
    project = Project.made(tmp_path / "project", "import sys\n" + script)
    secret = signs("argv", 30)
    assert project.record("train.py", f"--api-key={secret}").returncode == 0

    answer = ask("show", "latest", "--uploads", cwd=project.folder)

    assert "whole command line" not in answer.text
    for path in project.run_folder.rglob("*"):
        assert not path.is_file() or secret.encode() not in path.read_bytes(), path
