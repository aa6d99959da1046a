"""What differs in a folder later is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.data_records import folder_digested
from wandb_repro.capture.dataset.folder_difference import folder_differences
from wandb_repro.errors import DigestError
from wandb_repro.manifest.base import Unavailable


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    for name in ("a/0", "a/1", "b/0"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def test_nothing_differs_in_the_same_folder(data: Path) -> None:
    assert folder_differences(folder_digested(data), str(data)) == ""


def test_what_differs_is_named_file_by_file(data: Path) -> None:
    folder = folder_digested(data)
    (data / "a/0").write_text("A/0")
    (data / "a/1").unlink()
    (data / "new").write_text("x")
    assert folder_differences(folder, str(data)) == "a/0 differs, a/1 is missing, new was not there"
    assert folder_differences(folder, str(data), most=1) == "a/0 differs and 2 more"


def test_beyond_the_budget_names_and_sizes_are_compared(data: Path) -> None:
    folder = folder_digested(data, digest=Unavailable(unavailable="too large"), each={})
    (data / "a/0").write_text("A/0")
    assert folder_differences(folder, str(data)) == ""
    (data / "a/0").write_text("longer")
    assert "12 bytes, recorded with 3 and 9" in folder_differences(folder, str(data))


def test_without_a_digest_of_each_file_it_is_said_that_bytes_differ(data: Path) -> None:
    folder = folder_digested(data, each={})
    assert folder_differences(folder, str(data)) == ""
    (data / "a/0").write_text("A/0")
    assert folder_differences(folder, str(data)) == "files with the same names and sizes differ"


def test_files_of_other_runs_are_not_compared_where_this_one_wrote(data: Path) -> None:
    folder = folder_digested(data, written=("epoch-1",))
    (data / "epoch-9").write_text("another run's")
    assert folder_differences(folder, str(data)) == ""
    (data / "a/0").write_text("A/0")
    assert folder_differences(folder, str(data)) == "a/0 differs"


def test_a_folder_that_is_a_file_now_is_said(data: Path) -> None:
    folder = folder_digested(data)
    with pytest.raises(DigestError, match="No such file"):
        folder_differences(folder, str(data / "none"))
