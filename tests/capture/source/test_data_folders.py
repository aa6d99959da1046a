"""The folders that a run read and its snapshot lacks are named by their topmost one."""

from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.source.data_folders import DataFolder, data_folders
from wandb_repro.capture.source.extra_files import SnapshotFiles
from wandb_repro.capture.source.objects import REGULAR, Entry
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import IGNORED, LeftOut


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "digits"
    for name in ("train.py", "data/train/a/0", "data/train/b/0", "data/test/0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def found(
    root: Path,
    *listed: str | Path,
    files: tuple[str, ...] = ("train.py",),
    ignore: tuple[str, ...] = (),
) -> list[str]:
    entries = {name.encode(): Entry(REGULAR, "0" * 40) for name in files}
    by_path = {str(root / path): str(path) for path in listed}
    folders = data_folders(SnapshotFiles(root, entries), by_path, ignore)
    return [folder.path for folder in folders]


def test_the_topmost_listed_folder_stands_for_all_below(root: Path) -> None:
    every = ("data", "data/train", "data/train/a", "data/train/b", "data/test")
    assert found(root, *every) == ["data"]


def test_a_folder_of_which_everything_was_read_is_named(root: Path) -> None:
    assert found(root, "data/train/a", "data/train/b") == ["data/train"]
    assert found(root, "data/train/a", "data/train/b", "data/test") == ["data"]


def test_a_neighbour_that_was_not_read_is_not_part_of_it(root: Path) -> None:
    assert found(root, "data/train/a") == ["data/train/a"]


def test_the_tree_itself_and_what_is_around_it_are_no_data(root: Path) -> None:
    (root / "ignored").touch()
    assert found(root, ".", "..", root.parent) == []


def test_what_the_snapshot_holds_is_not_missing(root: Path) -> None:
    assert found(root, "data/test", files=("train.py", "data/test/0")) == []


def test_a_placeholder_in_git_does_not_hide_the_data_and_code_does(root: Path) -> None:
    (root / "data/.gitkeep").touch()
    kept = ("train.py", "data/.gitkeep")
    assert found(root, "data/test", files=kept) == ["data/test"]
    (root / "data/0").touch()
    assert found(root, "data", "data/test", files=kept) == ["data"]
    assert found(root, "data", files=("train.py", "data/load.py")) == []


def test_ignored_folders_are_left_out(root: Path) -> None:
    assert found(root, "data/test", ignore=(str(root / "data"),)) == []


def test_a_folder_outside_is_named_as_the_script_gave_it(root: Path) -> None:
    other = root.parent / "other"
    other.mkdir()
    (other / "x").touch()
    assert found(root, "../other") == ["../other"]
    assert found(root, other) == [str(other)]


def test_a_folder_behind_a_link_is_named_by_the_link(root: Path) -> None:
    other = root.parent / "other"
    (root / "data").rename(other)
    (root / "data").symlink_to(other)
    (root / "data/0").touch()
    assert found(root, "data") == ["data"]


def test_the_reason_is_what_the_snapshot_says(root: Path) -> None:
    left = LeftOut(path="data/test/0", size_bytes=Unavailable(unavailable="-"), reason=IGNORED)
    snapshot = SnapshotFiles(root, {b"train.py": Entry(REGULAR, "0" * 40)})
    listed = {str(root / "data/test"): "data/test"}
    (root / ".git").mkdir()
    (folder,) = data_folders(snapshot, listed, (), (left,))
    assert folder == DataFolder(str(root / "data/test"), "data/test", "git ignores it")
    large = left.model_copy(update={"reason": "larger than 10 MB"})
    (folder,) = data_folders(snapshot, listed, (), (large,))
    assert folder.reason == "it is larger than 10 MB"
