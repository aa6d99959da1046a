"""A folder is digested within a budget, and what differs in it later is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.dataset.data_files import list_files
from wandb_repro.capture.dataset.folder_digest import Budget, digest_folder
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFolder, is_used_up

LATER = float("inf")
"""No file is newer than this: nothing counts as written by the run."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("a/0", "a/1", "b/0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def recorded(
    folder: Path,
    budget: Budget | None = None,
    since: float = LATER,
    gone: frozenset[str] = frozenset(),
) -> InputFolder | None:
    return digest_folder(
        str(folder),
        "data",
        "git ignores it",
        budget or Budget(seconds=60),
        since=since,
        found=list_files(folder, Limits()),
        gone=gone,
    )


def digested(folder: Path, budget: Budget | None = None, since: float = LATER) -> InputFolder:
    found = recorded(folder, budget, since)
    assert found is not None
    return found


def test_a_folder_is_counted_and_each_file_has_digits(data: Path) -> None:
    folder = digested(data)
    assert (folder.count, folder.size_bytes) == (3, 9)
    assert sorted(folder.each) == ["a/0", "a/1", "b/0"]
    assert str(folder) == "data/ (3 files, 9 bytes)"


def test_the_budget_is_for_all_folders_together(data: Path) -> None:
    budget = Budget(bytes=17, seconds=60)
    assert isinstance(digested(data, budget).digest, str)
    assert isinstance(digested(data, budget).digest, Unavailable)


def test_what_the_run_wrote_is_in_no_digest(data: Path) -> None:
    before = digested(data)
    since = max((data / name).stat().st_ctime for name in before.each)
    (data / "cache").write_text("made by the run")
    while (data / "cache").stat().st_ctime <= since:  # a clock of whole ticks
        (data / "cache").write_text("made by the run")
    after = digested(data, since=since)
    assert (after.written, after.digest) == (("cache",), before.digest)


def test_a_folder_that_the_run_made_is_none_that_a_rerun_needs(data: Path) -> None:
    assert recorded(data, since=0) is None


def test_beyond_the_budget_names_and_sizes_are_digested(data: Path) -> None:
    folder = digested(data, Budget(bytes=8, seconds=60))
    assert "only names and sizes: 1 MB are too much" in str(folder.digest)
    assert folder.names == digested(data).names
    assert folder.each == {}


def test_without_time_names_and_sizes_are_digested(data: Path) -> None:
    folder = digested(data, Budget(seconds=0))
    assert "the time to read folders before training was used up" in str(folder.digest)


def test_what_the_run_deleted_is_not_counted(data: Path) -> None:
    (data / "a/0").unlink()
    folder = recorded(data, gone=frozenset({"a/0"}))
    assert folder is not None
    assert (folder.count, sorted(folder.each), folder.written) == (2, ["a/1", "b/0"], ("a/0",))


def test_a_folder_of_which_the_run_left_nothing_is_used_up(data: Path) -> None:
    folder = recorded(data, since=0, gone=frozenset({"x"}))
    assert folder is not None
    assert is_used_up(folder)
    assert "changed or deleted all of its files" in str(folder.digest)
