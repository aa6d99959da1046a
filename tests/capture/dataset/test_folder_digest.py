"""A folder is digested within a budget, and what differs in it later is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.dataset.folder_digest import Budget, digest_folder, folder_differences
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFolder

LATER = float("inf")
"""No file is newer than this: nothing counts as written by the run."""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("a/0", "a/1", "b/0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def digested(folder: Path, budget: Budget | None = None, since: float = LATER) -> InputFolder:
    found = digest_folder(
        str(folder), "data", "git ignores it", budget or Budget(seconds=60), since=since
    )
    assert found is not None
    return found


def test_a_folder_is_counted_and_each_file_has_digits(data: Path) -> None:
    folder = digested(data)
    assert (folder.count, folder.size_bytes) == (3, 9)
    assert sorted(folder.each) == ["a/0", "a/1", "b/0"]
    assert str(folder) == "data/ (3 files, 9 bytes)"
    assert folder_differences(folder, str(data)) == ""


def test_what_differs_is_named_file_by_file(data: Path) -> None:
    folder = digested(data)
    (data / "a/0").write_text("A/0")
    (data / "a/1").unlink()
    (data / "new").write_text("x")
    assert folder_differences(folder, str(data)) == "a/0 differs, a/1 is missing, new was not there"
    assert folder_differences(folder, str(data), most=1) == "a/0 differs and 2 more"


def test_beyond_the_budget_names_and_sizes_are_compared(data: Path) -> None:
    folder = digested(data, Budget(bytes=8, seconds=60))
    assert isinstance(folder.digest, Unavailable)
    assert "only names and sizes" in str(folder.digest)
    (data / "a/0").write_text("A/0")
    assert folder_differences(folder, str(data)) == ""
    (data / "a/0").write_text("longer")
    assert "12 bytes, recorded with 3 and 9" in folder_differences(folder, str(data))


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
    assert folder_differences(after, str(data)) == ""


def test_a_folder_that_the_run_made_is_none_that_a_rerun_needs(data: Path) -> None:
    assert digest_folder(str(data), "data", "", Budget(), since=0) is None
