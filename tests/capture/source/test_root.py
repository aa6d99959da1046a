from __future__ import annotations

import tempfile
from pathlib import Path

import pytest

from wandb_repro.capture.source.root import (
    holds_more_than_code,
    innermost_repository,
    refuse_as_root,
    repository_top,
)
from wandb_repro.errors import CodeError


def test_the_innermost_repository_wins(tmp_path: Path) -> None:
    (tmp_path / ".git").mkdir()
    inner = tmp_path / "vendor" / "lib"
    inner.mkdir(parents=True)
    assert repository_top(inner) == tmp_path
    (tmp_path / "vendor" / ".git").write_text("gitdir: elsewhere\n")
    assert repository_top(inner) == tmp_path / "vendor"


def test_a_home_folder_kept_in_git_is_no_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path.resolve() / "home"
    project = home / "digits"
    project.mkdir(parents=True)
    (home / ".git").mkdir()
    monkeypatch.setenv("HOME", str(home))
    assert innermost_repository(project) == home
    assert repository_top(project) is None


@pytest.mark.parametrize("folder", ["/", "/tmp", "/usr/src", "/home"])
def test_shared_folders_are_refused_as_a_tree(folder: str) -> None:
    with pytest.raises(CodeError, match="holds more than code") as raised:
        refuse_as_root(Path(folder))
    assert "git init" in raised.value.hint


def test_the_temporary_folder_is_shared_and_a_folder_in_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = tmp_path.resolve()
    monkeypatch.setattr(tempfile, "tempdir", str(real))
    assert holds_more_than_code(real)
    assert not holds_more_than_code(real / "tutorial")
