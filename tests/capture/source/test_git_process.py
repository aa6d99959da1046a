"""A git that hangs is given up: the record says why the code is missing; training continues."""

from __future__ import annotations

import os
import shutil
import threading
import time
from pathlib import Path
from typing import Any, cast

import psutil
import pytest

from tests.support.repositories import Repository, repository
from tests.support.training import Young, finished
from tests.support.work_trees import with_submodule
from wandb_repro import attach
from wandb_repro.capture.source.bundle import PackedFile, pack_files
from wandb_repro.capture.source.git_process import Child, output_of
from wandb_repro.capture.source.objects import REGULAR, Entry, blob_id, tree_id
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.errors import CodeError, HungError
from wandb_repro.manifest.base import Unavailable

ASKED = ("init", "ls-files", "ls-tree", "rev-parse")


def _put_on_path(monkeypatch: pytest.MonkeyPatch, folder: Path, command: str) -> Path:
    """Put a git on PATH that hangs when this is asked; return the list of when it did."""
    folder.mkdir()
    told, real = folder / "told", shutil.which("git")
    script = (
        f'#!/bin/sh\nfor word; do\n  if [ "$word" = {command} ]; then\n'
        f'    echo {command} >> {told}\n    sleep 60\n  fi\ndone\nexec {real} "$@"\n'
    )
    (folder / "git").write_text(script)
    (folder / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr("wandb_repro.capture.source.git.TIMEOUT_S", 1.0)
    return told


@pytest.fixture
def no_new_thread(monkeypatch: pytest.MonkeyPatch) -> None:
    """Behave as Python 3.12 and later do while a process ends."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't create new thread at interpreter shutdown")

    monkeypatch.setattr(threading.Thread, "start", refuse)


def _shell(script: str) -> Child:
    return Child(["sh", "-c", script], "sh", Path("/"), {"PATH": os.environ["PATH"]})


@pytest.mark.usefixtures("no_new_thread")
def test_what_a_process_prints_comes_back_without_a_thread() -> None:
    assert output_of(_shell("cat; echo end"), b"x" * 200_000, 30) == b"x" * 200_000 + b"end\n"


@pytest.mark.usefixtures("no_new_thread")
def test_a_process_that_hangs_is_ended_with_its_children_without_a_thread(tmp_path: Path) -> None:
    began = time.monotonic()
    with pytest.raises(HungError, match="sh did not end in time"):
        # The first process is gone at once; what it started holds the pipe.
        output_of(_shell(f"sleep 60 & echo $! > {tmp_path}/child"), b"", 0.5)
    assert time.monotonic() - began < 30
    assert _is_gone(int((tmp_path / "child").read_text()))


def _is_gone(process_id: int) -> bool:
    until = time.monotonic() + 10
    while time.monotonic() < until:
        try:
            if psutil.Process(process_id).status() == psutil.STATUS_ZOMBIE:
                return True
        except psutil.NoSuchProcess:
            return True
        time.sleep(0.01)
    return False


def test_a_process_that_fails_is_an_error_with_its_last_words() -> None:
    with pytest.raises(CodeError, match=r"sh failed: fatal: no$"):
        output_of(_shell("echo fatal: no >&2; echo hint >&2; exit 3"), b"", 30)


@pytest.mark.usefixtures("no_new_thread")
def test_a_bundle_at_the_end_of_a_process_needs_no_thread(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree, bundle = pack_files({b"a.py": PackedFile(b"x = 1\n")}, tmp_path / "added.bundle")

    assert tree == tree_id({b"a.py": Entry(REGULAR, blob_id(b"x = 1\n"))})
    assert (tmp_path / "added.bundle").stat().st_size == bundle.size_bytes
    monkeypatch.undo()
    clone = Repository(tmp_path)
    clone.git("clone", "--quiet", "--branch", "snapshot", "added.bundle", "clone")
    assert (tmp_path / "clone/a.py").read_bytes() == b"x = 1\n"


@pytest.mark.usefixtures("no_new_thread")
def test_a_git_that_hangs_at_the_end_of_a_process_is_given_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _put_on_path(monkeypatch, tmp_path / "bin", "fast-import")
    monkeypatch.setattr("wandb_repro.capture.source.bundle._PACK_S", 0.5)

    with pytest.raises(HungError, match="git fast-import did not end in time"):
        pack_files({b"a.py": PackedFile(b"x = 1\n")}, tmp_path / "added.bundle")

    assert [path.name for path in tmp_path.iterdir()] == ["bin"]


@pytest.mark.parametrize("command", ASKED)
def test_a_snapshot_is_given_up_at_the_first_hanging_command(
    command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second try, such as listing a submodule as a plain folder, would hang as well."""
    folder = with_submodule(tmp_path / "code")
    (tmp_path / "scratch").mkdir()
    told = _put_on_path(monkeypatch, tmp_path / "bin", command)

    with pytest.raises(HungError, match=f"git {command} did not end in time"):
        take_snapshot(folder, scratch=tmp_path / "scratch")

    asked_at_once = 2 if command == "ls-files" else 1
    assert len(told.read_text().splitlines()) == asked_at_once
    assert list((tmp_path / "scratch").iterdir()) == []


def test_a_run_is_recorded_without_its_code_when_git_hangs(
    offline: Young, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import wandb

    repository(offline.project)
    run = cast("Any", wandb).init(project="p")
    _put_on_path(monkeypatch, tmp_path / "bin", "ls-files")

    recorded = finished(attach(run))

    code = recorded.manifest.execution.code
    assert isinstance(code, Unavailable)
    assert "git ls-files did not end in time" in str(code)
    assert not isinstance(recorded.manifest.execution.packages, Unavailable)
