from __future__ import annotations

from pathlib import Path

from tests.support.recorded import Ask, Project


def test_two_runs_of_the_same_training_are_identical(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    again = Project.made(tmp_path / "again")
    assert again.record("train.py").returncode == 0
    answer = ask("verify", numbers.run_folder, again.run_folder, "--json", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert answer.data["grade"] == "identical"
    assert answer.data["final_weights"].partition(":")[2] == numbers.trail.weights[-1].root


def test_two_runs_that_part_name_where(numbers: Project, tmp_path: Path, ask: Ask) -> None:
    other = Project.made(tmp_path / "other")
    assert other.record("train.py", NUMBERS_DO="differ:3").returncode == 0
    words = ("verify", numbers.run_folder, other.run_folder)
    answer = ask(*words, cwd=tmp_path)
    assert answer.code == 1
    assert answer.text.startswith("diverged at the end of epoch 3")
    prefix = ask(*words, "--until-epoch", 2, cwd=tmp_path)
    assert prefix.code == 0
    assert prefix.text.startswith("identical up to epoch 2")
    prefix = ask(*words, "--until-step", 4, cwd=tmp_path)
    assert prefix.text.startswith("identical up to step 4")


def test_a_run_without_an_end_is_never_called_identical(
    killed_run: Project, numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    for words in (
        (killed_run.run_folder, numbers.run_folder),
        (numbers.run_folder, killed_run.run_folder),
        (killed_run.run_folder, killed_run.run_folder),
    ):
        answer = ask("verify", *words, cwd=tmp_path)
        assert answer.code == 3
        assert "has no end record" in answer.text


def test_a_trail_that_is_gone_is_inconclusive(numbers: Project, tmp_path: Path, ask: Ask) -> None:
    other = numbers.copy(tmp_path / "other")
    other.capsule.trail.unlink()
    answer = ask("verify", numbers.run_folder, other.run_folder, cwd=tmp_path)
    assert answer.code == 3
    assert "holds no digest of any weights" in answer.text
