"""``audit`` of a folder of offline runs."""

from __future__ import annotations

from pathlib import Path

from tests.support.recorded import Ask, Project, with_manifest


def test_a_folder_of_runs_is_audited_by_the_rules_beside_it(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    rules = '[tool.wandb_repro]\nrequire = ["seed", "clean-tree"]\n'
    (project.folder / "pyproject.toml").write_text(rules)
    answer = ask("audit", "./wandb", cwd=project.folder)

    assert answer.code == 1
    assert "1 run breaks a rule rules: seed, clean-tree" in answer.text
    assert f"✗ {numbers.manifest.run.id} yes never clean-tree" in answer.text

    with_manifest(project, {"execution.code.git.dirty": False})
    answer = ask("audit", "./wandb", cwd=project.folder)
    assert answer.code == 0, answer.text
    assert "every run keeps the rules" in answer.text


def test_without_rules_it_only_tells(numbers: Project, ask: Ask) -> None:
    answer = ask("audit", "./wandb", cwd=numbers.folder)
    assert answer.code == 0
    assert "no rules set" in answer.text
    data = ask("audit", "./wandb", "--require", "clean-tree", "--json", cwd=numbers.folder)
    assert data.code == 1
    (run,) = data.data["runs"]
    assert run["broken"] == {"clean-tree": "it ran with uncommitted code"}
    assert (run["reproduced"], run["attempted"], run["repeatable"]) == (0, 0, True)


def test_a_record_that_is_cut_off_is_told_as_unread(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    manifest = project.run_folder / "files" / "repro" / "manifest.json"
    manifest.write_bytes(manifest.read_bytes()[:-20])
    answer = ask("audit", "./wandb", cwd=project.folder)
    assert answer.code == 3
    assert "1 run could not be read" in answer.text


def test_a_folder_that_is_not_there_is_wrong_use(tmp_path: Path, ask: Ask) -> None:
    answer = ask("audit", "./gone", cwd=tmp_path)
    assert answer.code == 2
    assert "There is no folder gone" in answer.error
