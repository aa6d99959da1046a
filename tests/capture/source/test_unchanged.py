from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.repositories import Repository, repository
from wandb_repro.capture.source.file_list import list_repository
from wandb_repro.capture.source.git import private_repository
from wandb_repro.capture.source.limits import Limits, choose_files
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.capture.source.unchanged import unchanged_files


@pytest.fixture
def project(tmp_path: Path) -> Repository:
    made = repository(tmp_path / "project")
    made.write("a.py", "x = 1\n")
    made.write("b.py", "y = 2\n")
    made.git("rm", "--quiet", "train.py")
    made.commit()
    _settle(made)
    return made


def _settle(project: Repository) -> None:
    """Let time pass: git distrusts what is as old as its index, and so do we."""
    later = time.time() + 5
    os.utime(project.path / ".git" / "index", (later, later))


def _unread(project: Repository, tmp_path: Path) -> set[bytes]:
    folder = tmp_path / "private"
    folder.mkdir()
    top = project.path
    listing = list_repository(top, private_repository(folder))
    sources, _ = choose_files(top, listing, (), Limits())
    return set(unchanged_files(top, listing, sources))


def test_a_committed_file_left_alone_is_not_read(project: Repository, tmp_path: Path) -> None:
    assert _unread(project, tmp_path) == {b"a.py", b"b.py"}


def test_a_file_that_was_written_again_is_read(project: Repository, tmp_path: Path) -> None:
    project.write("a.py", "x = 3\n")
    assert _unread(project, tmp_path) == {b"b.py"}


def test_a_file_of_the_same_size_and_a_forged_time_is_read(
    project: Repository, tmp_path: Path
) -> None:
    path = project.path / "a.py"
    before = path.stat()
    path.write_text("x = 3\n")
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert _unread(project, tmp_path) == {b"b.py"}


def test_a_staged_file_is_read(project: Repository, tmp_path: Path) -> None:
    project.write("a.py", "x = 3\n")
    project.git("add", "a.py")
    _settle(project)
    assert _unread(project, tmp_path) == {b"b.py"}


def test_a_file_as_old_as_the_index_is_read(project: Repository, tmp_path: Path) -> None:
    stamp = (project.path / "a.py").stat().st_mtime_ns
    os.utime(project.path / ".git" / "index", ns=(stamp, stamp))
    assert b"a.py" not in _unread(project, tmp_path)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".gitattributes", "*.py text\n"),
        ("package/.gitattributes", "*.py text\n"),
        (".git/info/attributes", "*.py text\n"),
    ],
)
def test_where_attributes_may_convert_all_is_read(
    project: Repository, tmp_path: Path, name: str, text: str
) -> None:
    path = project.path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    assert _unread(project, tmp_path) == set()


@pytest.mark.parametrize("setting", ["core.autocrlf", "core.eol", "core.attributesFile"])
def test_where_a_setting_may_convert_all_is_read(
    project: Repository, tmp_path: Path, setting: str
) -> None:
    project.git("config", setting, "lf" if setting == "core.eol" else "true")
    _settle(project)
    assert _unread(project, tmp_path) == set()


def test_the_tree_is_the_same_read_or_not(project: Repository) -> None:
    with take_snapshot(project.path) as unread:
        pass
    (project.path / ".git" / "info").mkdir(exist_ok=True)
    (project.path / ".git" / "info" / "attributes").write_text("*.none text\n")
    with take_snapshot(project.path) as read:
        assert read.tree == unread.tree


def test_a_file_that_git_converted_once_is_read_though_nothing_says_so_now(
    project: Repository, tmp_path: Path
) -> None:
    path = project.write("lines.py", "x = 1\r\ny = 2\r\n")
    os.utime(path, (1_700_000_000, 1_700_000_000))  # or git marks the entry as one to compare
    project.git("-c", "core.autocrlf=true", "add", "lines.py")
    project.git("commit", "--quiet", "--message", "lines")
    _settle(project)
    assert b"lines.py" not in _unread(project, tmp_path)
