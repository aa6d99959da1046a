from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.repositories import repository
from wandb_repro.capture.source.limits import Limits
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.errors import CodeError


def test_the_tree_is_that_of_the_repository_around_the_start(tmp_path: Path) -> None:
    made = repository(tmp_path / "project")
    made.write("jobs/train.py", "x = 1\n")
    commit = made.commit()
    with take_snapshot(made.path / "jobs") as snapshot:
        assert snapshot.root == made.path.resolve()
        assert (snapshot.commit, snapshot.dirty, snapshot.no_repository) == (commit, False, "")


def test_a_folder_without_git_is_its_own_tree(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("x = 1\n")
    with take_snapshot(tmp_path) as snapshot:
        assert snapshot.paths() == {"train.py"}
        assert snapshot.no_repository == "the code is not in a git repository"


def test_a_repository_that_git_cannot_list_is_taken_as_a_folder(tmp_path: Path) -> None:
    made = repository(tmp_path / "project")
    (made.path / ".git" / "index").write_bytes(b"broken")
    with take_snapshot(made.path) as snapshot:
        assert snapshot.paths() == {"train.py"}
        assert "git cannot list the repository" in snapshot.no_repository


def test_what_is_left_out_is_named(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("x = 1\n")
    (tmp_path / "large.bin").write_text("x" * 100)
    with take_snapshot(tmp_path, limits=Limits(file_bytes=50)) as snapshot:
        assert [left.path for left in snapshot.left_out] == ["large.bin"]


def test_a_failure_leaves_nothing_behind(tmp_path: Path) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    with pytest.raises(CodeError, match="holds more than code"):
        take_snapshot(Path("/"), scratch=scratch)
    assert list(scratch.iterdir()) == []
