from __future__ import annotations

from pathlib import Path

import pytest

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
    assert "has no digest of any weights" in answer.text


def test_a_stated_tolerance_makes_equivalent_what_is_near(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    other = Project.made(tmp_path / "other")
    assert other.record("train.py", NUMBERS_DO="differ:3").returncode == 0
    words = ("verify", numbers.run_folder, other.run_folder)
    near = ask(*words, "--metric", "loss=1e-9", cwd=tmp_path)
    assert (near.code, near.text.partition("  ")[0].split()[0]) == (0, "equivalent")
    assert "Tolerance loss within 1e-09, at the end of epoch 3" in near.text
    assert ask(*words, "--rtol", "1e-9", "--json", cwd=tmp_path).data["grade"] == "equivalent"
    assert ask(*words, "--rtol", "0", cwd=tmp_path).code == 1
    beyond = ask(*words, "--metric", "loss=0", cwd=tmp_path)
    assert (beyond.code, beyond.text.split()[0]) == (1, "diverged")
    assert (
        "metric accuracy is not in both runs; the original has loss"
        in ask(*words, "--metric", "accuracy=1", cwd=tmp_path).text
    )


@pytest.mark.parametrize(
    "words",
    [
        ("--metric", "loss"),
        ("--metric", "=1"),
        ("--metric", "loss=x"),
        ("--metric", "loss=-1"),
        ("--metric", "loss=nan"),
        ("--rtol", "-1"),
        ("--rtol", "inf"),
        ("--rtol", "x"),
    ],
)
def test_a_tolerance_that_is_none_is_wrong_use(
    words: tuple[str, str], tmp_path: Path, ask: Ask
) -> None:
    assert ask("verify", "a", "b", *words, cwd=tmp_path).code == 2


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("a",), "A second run is missing"),
        (("a", "b", "--history"), "--history takes one run"),
        (("a", "--history", "--rtol", "0.1"), "--history takes one run"),
        (("a", "--history", "--metric", "loss=1"), "--history takes one run"),
        (("a", "--history", "--until-step", "3"), "--history takes one run"),
    ],
)
def test_a_history_is_that_of_one_run(
    words: tuple[str, ...], said: str, tmp_path: Path, ask: Ask
) -> None:
    answer = ask("verify", *words, cwd=tmp_path)
    assert answer.code == 2
    assert said in answer.text + answer.err


def test_the_history_of_an_offline_run_cannot_be_told(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    answer = ask("verify", numbers.run_folder, "--history", "--json", cwd=tmp_path)
    assert answer.code == 3
    assert answer.data["exit_code"] == 3
    assert "recorded offline" in answer.data["error"]
