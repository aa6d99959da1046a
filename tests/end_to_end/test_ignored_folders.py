"""A folder that git ignores is found when it is recorded, and looked for before a rerun."""

from __future__ import annotations

import shutil
import struct
from pathlib import Path

import pytest

from tests.support.recorded import NUMBERS, Answer, Ask, Project
from wandb_repro.manifest.base import Unavailable

HERE = ("--env", "here", "--yes")

SCRIPT = NUMBERS.replace(
    "        weights += ",
    "        assert len(list(Path(path).parent.iterdir())) == 2\n        weights += ",
)
"""Each argument is a file, whose folder is listed."""


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Project:
    """Record a training that reads one of two files of a folder that git ignores."""
    folder = tmp_path_factory.mktemp("ignored")
    project = Project.made(folder / "project", SCRIPT)
    project.repository.write(".gitignore", "wandb/\ndata/\n")
    (project.folder / "data").mkdir()
    (project.folder / "data" / "x.csv").write_text("1.5")
    (project.folder / "data" / "y.csv").write_text("2.5")
    assert project.record("train.py", "data/x.csv").returncode == 0
    return project


@pytest.fixture
def capsule(trained: Project, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained.capsule.folder, tmp_path / "capsule"))


def rerun(ask: Ask, capsule: Path, *words: str) -> Answer:
    return ask("rerun", capsule, *HERE, *words, cwd=capsule.parent)


@pytest.mark.slow
def test_a_folder_in_its_old_place_is_used(capsule: Path, ask: Ask) -> None:
    answer = rerun(ask, capsule)
    assert answer.code == 0, answer.err


def test_a_folder_that_is_gone_stops_the_rerun_at_once(
    trained: Project, capsule: Path, ask: Ask, tmp_path: Path
) -> None:
    data = trained.folder / "data"
    data.rename(tmp_path / "elsewhere")
    try:
        gone = rerun(ask, capsule)
        check = ask("check", capsule, cwd=capsule.parent)
        given = rerun(ask, capsule, "--data", f"data={tmp_path / 'elsewhere'}")
    finally:
        (tmp_path / "elsewhere").rename(data)
    assert gone.code == 4
    assert f"that are not here: {data}" in gone.error
    assert "--data data=PATH" in gone.error
    assert "Traceback" not in gone.err
    assert check.code == 1
    assert "data/ (2 files, 6 bytes), which is not here" in check.text
    assert given.code == 0, given.err


def test_a_changed_file_is_named_before_training(trained: Project, capsule: Path, ask: Ask) -> None:
    file = trained.folder / "data" / "y.csv"
    file.write_text("2.6")
    try:
        answer = rerun(ask, capsule)
    finally:
        file.write_text("2.5")
    assert answer.code == 3
    assert "y.csv differs" in answer.error
    assert "of numbers" not in answer.err


IMAGES = """\
import keras

import wandb_repro

run = wandb_repro.init(project="photos", seed=7)
images = {"image_size": (8, 8), "batch_size": 4, "seed": 1}
train = keras.utils.image_dataset_from_directory("data", **images)
test = keras.utils.image_dataset_from_directory("../photos", **images)
model = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(train, validation_data=test, epochs=1, verbose=0)
"""


def write_images(folder: Path) -> None:
    """Write ten images of one pixel for each of two classes: more than are stored with a run."""
    sizes = (b"BM", 58, 0, 0, 54, 40, 1, 1, 1, 24, 0, 4, 0, 0, 0, 0)
    for number in range(20):
        file = folder / ("cat", "dog")[number % 2] / f"{number}.bmp"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(struct.pack("<2sIHHIIiiHHIIiiII", *sizes) + bytes([number, 2, 3, 0]))


@pytest.mark.slow
def test_folders_that_only_tensorflow_reads_are_found_again(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project", IMAGES)
    project.repository.write(".gitignore", "wandb/\ndata/\n")
    write_images(project.folder / "data")
    write_images(tmp_path / "photos")
    assert project.record("-m", "wandb_repro.launch", "train.py").returncode == 0
    folders = project.manifest.description.folders
    assert not isinstance(folders, Unavailable)
    assert [(folder.path, folder.count) for folder in folders] == [("../photos", 20), ("data", 20)]
    capsule = Path(shutil.copytree(project.capsule.folder, tmp_path / "capsule"))
    (tmp_path / "project").rename(tmp_path / "moved")
    gone = rerun(ask, capsule)
    assert (gone.code, "--data data=PATH" in gone.error) == (4, True)
    given = rerun(ask, capsule, "--data", f"data={tmp_path / 'moved' / 'data'}")
    assert given.code == 0, given.err
    assert given.text.startswith("identical bit for bit")
