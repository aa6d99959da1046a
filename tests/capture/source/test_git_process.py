"""A git that hangs is given up: the code is missing with that reason, and the training goes on."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.repositories import repository
from tests.support.training import Young, finished
from tests.support.work_trees import with_submodule
from wandb_repro import attach
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.errors import HungError
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
