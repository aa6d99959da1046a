from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repositories import Repository, repository
from wandb_repro.capture.source.file_list import Listing, list_folder, list_repository
from wandb_repro.capture.source.git import Git, private_repository
from wandb_repro.capture.source.objects import REGULAR, Entry, blob_id
from wandb_repro.errors import CodeError


@pytest.fixture(name="private")
def _private(tmp_path: Path) -> Git:
    folder = tmp_path / "private"
    folder.mkdir()
    return private_repository(folder)


@pytest.fixture(name="made")
def _made(tmp_path: Path) -> Repository:
    return repository(tmp_path / "project")


def test_tracked_untracked_and_ignored_files_are_told_apart(made: Repository, private: Git) -> None:
    made.write(".gitignore", "*.log\n")
    commit = made.commit()
    made.write("new.py", "n = 1\n")
    made.write("train.log", "x")
    listing = list_repository(made.path, private)
    assert listing.untracked == {b"new.py"}
    assert b"train.log" not in listing.index
    assert listing.index == listing.head
    assert listing.head[b".gitignore"] == Entry(REGULAR, blob_id(b"*.log\n"))
    assert listing.commit == commit
    assert listing.stores == [made.path / ".git" / "objects"]


def test_without_a_commit_head_is_empty(tmp_path: Path, private: Git) -> None:
    made = Repository(tmp_path / "young")
    made.path.mkdir()
    made.git("init", "--quiet")
    made.write("a.py", "x")
    listing = list_repository(made.path, private)
    assert (listing.commit, listing.head, listing.untracked) == ("", {}, {b"a.py"})


def test_a_nested_repository_is_part_of_the_tree(made: Repository, private: Git) -> None:
    made.commit()
    inner = repository(made.path / "vendor" / "lib")
    inner.write("new.py", "x")
    listing = list_repository(made.path, private)
    assert b"vendor/lib/new.py" in listing.untracked
    assert b"vendor/lib/train.py" in listing.index
    assert [prefix for _, prefix in listing.places] == [b"", b"vendor/lib/"]


def test_a_broken_nested_repository_is_listed_as_a_folder(made: Repository, private: Git) -> None:
    made.commit()
    inner = repository(made.path / "lib")
    (inner.path / ".git" / "index").write_bytes(b"broken")
    listing = list_repository(made.path, private)
    assert b"lib/train.py" in listing.untracked


def test_a_corrupt_index_is_an_error(made: Repository, private: Git) -> None:
    (made.path / ".git" / "index").write_bytes(b"broken")
    with pytest.raises(CodeError, match="git ls-files failed"):
        list_repository(made.path, private)


def test_below_a_folder_without_git_all_files_are_untracked(tmp_path: Path, private: Git) -> None:
    folder = tmp_path / "plain"
    (folder / "sub").mkdir(parents=True)
    for name in ("a.py", "sub/b with space.py"):
        (folder / name).write_text("x")
    listing: Listing = list_folder(folder, private)
    assert listing.untracked == {b"a.py", b"sub/b with space.py"}
    assert (listing.index, listing.commit) == ({}, "")
