from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.dataset.folder_difference import folder_differences
from wandb_repro.capture.source.bundle import PackedFile
from wandb_repro.capture.source.data_folders import DataFolder
from wandb_repro.capture.source.extra_files import ExtraFiles
from wandb_repro.capture.source.read_extra_files import ExtraLimits
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile, InputFolder, is_used_up
from wandb_repro.recording.folder_recorder import FolderRecorder, folders_with_many

LATER = float("inf")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    folder.mkdir()
    for name in "ab":
        (folder / name).write_text(name)
    return folder


def record(recorder: FolderRecorder, data: Path) -> tuple[InputFolder, ...]:
    return recorder.digested([DataFolder(str(data), "data", "git ignores it")], since=LATER)


def opened(*paths: Path) -> list[InputFile]:
    return [InputFile(path=path.name, absolute=str(path), size_bytes=1) for path in paths]


def test_a_folder_is_digested_when_it_is_first_seen(data: Path) -> None:
    recorder = FolderRecorder()
    (before,) = record(recorder, data)
    (data / "a").write_text("changed by the run")
    assert record(recorder, data) == (before,)


def test_a_file_that_the_run_changed_or_deleted_is_no_longer_counted(data: Path) -> None:
    recorder = FolderRecorder()
    found = [DataFolder(str(data), "data", "git ignores it")]
    since = max((data / name).stat().st_ctime for name in "ab")
    (before,) = recorder.digested(found, since=since)
    while (data / "a").stat().st_ctime <= since:  # a clock of whole ticks
        (data / "a").write_text("changed")
    (after,) = recorder.digested(found, since=since)
    assert (before.count, after.count, after.written) == (2, 1, ("a",))
    assert list(after.each) == ["b"]
    assert folder_differences(after, str(data)) == ""
    (data / "b").unlink()
    (last,) = recorder.digested(found, since=since)
    assert is_used_up(last)
    assert last.written == ("a", "b")


def test_a_file_that_the_run_added_is_only_named(data: Path) -> None:
    recorder = FolderRecorder()
    found = [DataFolder(str(data), "data", "git ignores it")]
    since = max((data / name).stat().st_ctime for name in "ab")
    (before,) = recorder.digested(found, since=since)
    (data / "new").write_text("x")
    while (data / "new").stat().st_ctime <= since:
        (data / "new").write_text("x")
    (after,) = recorder.digested(found, since=since)
    assert after == before.model_copy(update={"written": ("new",)})


def test_a_folder_that_is_gone_says_so(data: Path) -> None:
    (folder,) = record(FolderRecorder(), data / "gone")
    assert isinstance(folder.digest, Unavailable)
    assert "No such file" in str(folder.digest)


def test_a_folder_whose_files_are_all_stored_is_not_missing(data: Path) -> None:
    folders = record(FolderRecorder(), data)
    stored = {f"data/{name}": PackedFile(b"x", False) for name in "ab"}
    used = ExtraFiles(str(data.parent), stored, (), (), ())
    assert FolderRecorder.missing(folders, used) == ()
    del stored["data/a"]
    assert FolderRecorder.missing(folders, used) == folders


def test_files_of_a_folder_that_was_not_opened_whole_are_not_stored(data: Path) -> None:
    folders, both = record(FolderRecorder(), data), opened(data / "a", data / "b")
    keep = FolderRecorder.without_large
    assert keep(both, folders, ExtraLimits()) == tuple(both)
    assert keep(both[:1], folders, ExtraLimits()) == ()
    assert keep(both, folders, ExtraLimits(total_bytes=1)) == ()


def test_many_files_opened_in_a_folder_count_as_the_folder(data: Path) -> None:
    few = opened(*(data / str(number) for number in range(19)))
    assert folders_with_many(few) == {}
    assert folders_with_many([*few, *opened(data / "x")]) == {str(data): "."}
