"""A folder copied by hard links, and what was changed in it since it was listed."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path

import pytest

from wandb_repro.errors import DiskFullError
from wandb_repro.rerun.environment.clone import (
    clone,
    first_change,
    is_elsewhere,
    list_folder,
    read_listing,
    write_listing,
)


@pytest.fixture
def source(tmp_path: Path) -> Path:
    folder = tmp_path / "source"
    (folder / "lib" / "deep").mkdir(parents=True)
    (folder / "lib" / "deep" / "x.py").write_text("x = 1\n")
    (folder / "python").symlink_to("/usr/bin/python3")
    return folder


def test_a_listing_has_each_file_and_link_and_follows_none(source: Path) -> None:
    (source / "lib" / "up").symlink_to("..")
    found = list_folder(source)

    assert sorted(found) == ["lib/deep/x.py", "lib/up", "python"]
    assert found["lib/deep/x.py"][0] == 6
    assert found["python"] == (0, 0, "/usr/bin/python3")


def test_a_clone_is_the_same_files_in_folders_of_its_own(source: Path, tmp_path: Path) -> None:
    listing = list_folder(source)

    assert clone(source, listing, tmp_path / "copy")

    assert list_folder(tmp_path / "copy") == listing
    assert (tmp_path / "copy" / "lib" / "deep" / "x.py").samefile(source / "lib" / "deep" / "x.py")
    (tmp_path / "copy" / "lib" / "deep" / "x.py").unlink()
    assert (source / "lib" / "deep" / "x.py").exists()


def other_disk(*_: object, **__: object) -> None:
    raise OSError(errno.EXDEV, "Invalid cross-device link")


def test_across_disks_the_files_are_copied(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "hardlink_to", other_disk)
    listing = list_folder(source)

    assert is_elsewhere(source, listing, tmp_path / "copy")
    assert not clone(source, listing, tmp_path / "copy")

    assert list_folder(tmp_path / "copy") == listing
    assert not (tmp_path / "copy/lib/deep/x.py").samefile(source / "lib/deep/x.py")


def test_nothing_of_the_trial_is_left(source: Path, tmp_path: Path) -> None:
    assert not is_elsewhere(source, list_folder(source), tmp_path / "copy")
    assert list((tmp_path / "copy").iterdir()) == []


def test_a_full_disk_is_told_from_other_faults(
    source: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(Path, "hardlink_to", other_disk)
    monkeypatch.setattr(shutil, "copy2", full)
    with pytest.raises(DiskFullError):
        clone(source, list_folder(source), tmp_path / "copy")


def test_a_file_that_is_gone_is_an_error(source: Path, tmp_path: Path) -> None:
    listing = list_folder(source)
    (source / "lib" / "deep" / "x.py").unlink()

    with pytest.raises(FileNotFoundError):
        clone(source, listing, tmp_path / "copy")


def test_the_first_change_is_named_whatever_it_is(source: Path) -> None:
    before = list_folder(source)
    assert first_change(before, list_folder(source)) == ""

    os.utime(source / "lib" / "deep" / "x.py", ns=(1, 1))
    assert first_change(before, list_folder(source)) == "lib/deep/x.py"

    (source / "added").touch()
    assert first_change(before, list_folder(source)) == "added"


def test_a_listing_is_read_back_as_it_was_written(source: Path, tmp_path: Path) -> None:
    listing = list_folder(source)
    write_listing(listing, tmp_path / "files.json")

    assert read_listing(tmp_path / "files.json") == listing


@pytest.mark.parametrize("content", [b"[", b"[]", b'{"a": [1, 2]}'])
def test_what_is_no_listing_is_none(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "files.json").write_bytes(content)

    assert read_listing(tmp_path / "files.json") is None
    assert read_listing(tmp_path / "gone.json") is None
