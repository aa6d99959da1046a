"""What a repository says of itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.repositories import Repository, repository
from tests.support.work_trees import linked_work_tree
from wandb_repro.capture.source.repository import read_state
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import GitState


def _state(made: Repository) -> GitState:
    state = read_state(made.path, commit=made.git("rev-parse", "HEAD"), dirty=False)
    assert isinstance(state, GitState), state
    return state


def _with_origin(folder: Path) -> Repository:
    """Return a clone whose HEAD its origin has."""
    made = repository(folder / "origin")
    made.git("clone", "--quiet", f"file://{made.path}", str(folder / "clone"))
    return Repository(folder / "clone")


def test_the_branch_and_the_commit_are_told(tmp_path: Path) -> None:
    made = repository(tmp_path)
    made.git("checkout", "--quiet", "-b", "feature/cnn")

    state = _state(made)

    assert (state.branch, state.commit) == ("feature/cnn", made.git("rev-parse", "HEAD"))


def test_what_differs_is_passed_on(tmp_path: Path) -> None:
    made = repository(tmp_path)

    state = read_state(made.path, commit="a" * 40, dirty=True, changed=("train.py",))

    assert isinstance(state, GitState)
    assert (state.dirty, state.changed) == (True, ("train.py",))


def test_a_detached_head_has_no_branch(tmp_path: Path) -> None:
    made = repository(tmp_path)
    made.git("checkout", "--quiet", "--detach")

    assert _state(made).branch == Unavailable(unavailable="HEAD is detached")


def test_a_head_that_moved_since_has_no_branch_to_tell(tmp_path: Path) -> None:
    made = repository(tmp_path)
    before = made.git("rev-parse", "HEAD")
    made.commit("another")

    state = read_state(made.path, commit=before, dirty=False)

    assert isinstance(state, GitState)
    assert state.commit == before
    assert isinstance(state.branch, Unavailable)


def test_a_repository_without_commit_has_a_branch_and_no_commit(tmp_path: Path) -> None:
    made = Repository(tmp_path)
    made.git("init", "--quiet", "--initial-branch=main")

    state = read_state(tmp_path, commit="", dirty=True)

    assert isinstance(state, GitState)
    assert state.commit == Unavailable(unavailable="there is no commit yet")
    assert (state.branch, state.pushed) == ("main", False)


def test_without_remote_there_is_no_address(tmp_path: Path) -> None:
    state = _state(repository(tmp_path))

    assert state.remote == Unavailable(unavailable="there is no remote")
    assert state.pushed is False


def test_a_remote_is_told_without_its_credentials(tmp_path: Path) -> None:
    made = repository(tmp_path)
    made.git("remote", "add", "origin", "https://ada:hunter2@example.org/ada/code.git?token=abc")

    assert _state(made).remote == "https://example.org/ada/code.git"


def test_a_remote_over_ssh_keeps_its_user(tmp_path: Path) -> None:
    made = repository(tmp_path)
    made.git("remote", "add", "origin", "git@example.org:ada/code.git")

    assert _state(made).remote == "git@example.org:ada/code.git"


def test_the_remote_of_the_branch_comes_before_origin(tmp_path: Path) -> None:
    made = repository(tmp_path)
    made.git("remote", "add", "origin", "https://example.org/origin.git")
    made.git("remote", "add", "fork", "https://example.org/fork.git")
    made.git("config", "branch.main.remote", "fork")
    made.git("config", "branch.main.merge", "refs/heads/main")

    assert _state(made).remote == "https://example.org/fork.git"


def test_a_commit_that_the_remote_has_is_pushed(tmp_path: Path) -> None:
    assert _state(_with_origin(tmp_path)).pushed is True


def test_a_commit_made_since_is_not_pushed(tmp_path: Path) -> None:
    clone = _with_origin(tmp_path)
    clone.commit("newer")

    assert _state(clone).pushed is False


def test_a_linked_work_tree_has_its_own_branch(tmp_path: Path) -> None:
    linked = Repository(linked_work_tree(tmp_path / "linked"))

    assert _state(linked).branch == "linked"


def test_a_submodule_has_its_own_head(tmp_path: Path) -> None:
    inner = repository(tmp_path / "inner")
    made = repository(tmp_path / "code")
    allowed = ("-c", "protocol.file.allow=always")
    made.git(*allowed, "submodule", "--quiet", "add", str(inner.path), "sub")

    assert _state(Repository(made.path / "sub")).pushed is True


def test_variables_that_point_git_elsewhere_have_no_say(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clone = _with_origin(tmp_path)
    other = repository(tmp_path / "other")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    monkeypatch.setenv("GIT_WORK_TREE", str(other.path))

    assert _state(clone).pushed is True


def test_without_gitpython_the_reason_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = repository(tmp_path)
    monkeypatch.setitem(sys.modules, "git", None)

    state = read_state(made.path, commit="", dirty=False)

    assert "GitPython cannot be used" in str(state)


def test_a_folder_that_is_no_repository_is_told_as_such(tmp_path: Path) -> None:
    state = read_state(tmp_path, commit="", dirty=False)

    assert str(state).startswith("GitPython cannot open")


def test_gitpython_is_not_imported_before_it_is_needed() -> None:
    code = "import sys, wandb_repro.capture.source.snapshot; sys.exit('git' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
