"""At a rerun all data is looked for and compared before anything trains, wherever it is now."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.recorded import NUMBERS, Answer, Ask, Project

SCRIPT = NUMBERS.replace(
    "        weights += ",
    "        wandb_repro.fingerprint(Path(path).stem, path=Path(path).parent)\n        weights += ",
)
"""Each argument is a file, whose folder is fingerprinted under the file's name."""

HERE = ("--env", "here", "--yes")


def data(folder: Path, name: str, text: str = "1.5") -> Path:
    """Make a folder of data with two files; the training reads the first."""
    (folder / name).mkdir(parents=True)
    (folder / name / f"{name}.csv").write_text(text)
    (folder / name / "more.csv").write_text("2.5")
    return folder / name


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Record a training that reads two folders beside its tree, both fingerprinted."""
    folder = tmp_path_factory.mktemp("sources")
    project = Project.made(folder / "project", SCRIPT)
    for name in ("train", "test"):
        data(folder, name)
    done = project.record("train.py", "../train/train.csv", "../test/test.csv")
    assert done.returncode == 0
    return project


@pytest.fixture
def capsule(trained: Project, tmp_path: Path) -> Path:
    """Give a copy of the capsule, away from its project."""
    return Path(shutil.copytree(trained.capsule.folder, tmp_path / "capsule"))


def rerun(ask: Ask, capsule: Path, *words: str) -> Answer:
    return ask("rerun", capsule, *HERE, *words, cwd=capsule.parent)


@pytest.mark.slow
def test_data_in_its_old_place_is_compared_and_used(capsule: Path, ask: Ask) -> None:
    answer = rerun(ask, capsule)
    assert answer.code == 0, answer.err
    assert ", as recorded" in answer.error


def test_all_that_is_missing_or_changed_is_said_before_training(
    trained: Project, capsule: Path, ask: Ask
) -> None:
    folder = trained.folder.parent
    (folder / "train").rename(folder / "hidden")
    more = folder / "test" / "more.csv"  # nobody opened it: only the fingerprint knows of it
    more.write_text("2.6")
    try:
        answer = rerun(ask, capsule)
    finally:
        (folder / "hidden").rename(folder / "train")
        more.write_text("2.5")
    assert answer.code == 4
    assert f"that are not here: {folder}/train (data 'train')." in answer.error
    assert f"that are not the same here: {folder}/test (data 'test')." in answer.error
    assert "--data train=PATH" in answer.error
    assert "of numbers" not in answer.err
    assert not list(capsule.parent.glob("wandb/rerun-*"))


def test_data_that_lies_elsewhere_now_is_linked_to_where_the_script_looks(
    trained: Project, capsule: Path, ask: Ask, tmp_path: Path
) -> None:
    elsewhere = data(tmp_path / "elsewhere", "train")
    folder = trained.folder.parent
    (folder / "train").rename(folder / "hidden")
    try:
        answer = rerun(ask, capsule, "--data", f"train={elsewhere}")
    finally:
        (folder / "hidden").rename(folder / "train")
    assert answer.code == 0, answer.err


def test_other_data_given_for_the_recorded_one_does_not_train(
    capsule: Path, ask: Ask, tmp_path: Path
) -> None:
    answer = rerun(ask, capsule, "--data", f"train={data(tmp_path, 'train', '1.6')}")
    assert answer.code == 3
    assert "(data 'train')" in answer.error
    assert "of numbers" not in answer.err


def test_data_that_the_record_does_not_name_is_wrong_use(capsule: Path, ask: Ask) -> None:
    answer = rerun(ask, capsule, "--data", "valid=/tmp")
    assert answer.code == 2
    assert "Recorded: train, test" in answer.error


@pytest.mark.slow
def test_data_in_the_tree_that_git_ignores_comes_with_the_record(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project", SCRIPT)
    data(project.folder, "train")
    project.repository.write(".gitignore", "wandb/\ntrain/train.csv\n")
    assert project.record("train.py", "train/train.csv").returncode == 0
    capsule = Path(shutil.copytree(project.capsule.folder, tmp_path / "capsule"))
    shutil.rmtree(project.folder)
    answer = rerun(ask, capsule)
    assert answer.code == 0, answer.err
