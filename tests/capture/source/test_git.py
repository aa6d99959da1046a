"""The git command as we start it."""

from __future__ import annotations

import os
import time
from pathlib import Path

import pytest

from tests.support.repositories import repository
from wandb_repro.capture.source.git import Git, private_repository, user_setting
from wandb_repro.errors import CodeError


def _fake_git(folder: Path, script: str) -> str:
    """Write a git command of our own; return the folder to put on PATH."""
    folder.mkdir()
    command = folder / "git"
    command.write_text(f"#!/bin/sh\n{script}\n")
    command.chmod(0o755)
    return f"{folder}:/usr/bin:/bin"


def _ends(pid: int) -> bool:
    """Return whether a process is gone, or soon is: a signal takes a moment."""
    for _ in range(100):
        if not _is_alive(pid):
            return True
        time.sleep(0.05)
    return False


def _is_alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().split(")")[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def _git(folder: Path, timeout_s: float = 10.0) -> Git:
    return Git(folder / ".git", work_tree=folder, timeout_s=timeout_s)


def test_what_git_prints_comes_back(tmp_path: Path) -> None:
    made = repository(tmp_path)

    assert _git(tmp_path).run("rev-parse", "HEAD").decode().strip() == made.git("rev-parse", "HEAD")


def test_a_listing_is_split_at_its_nuls(tmp_path: Path) -> None:
    repository(tmp_path, **{"a b.py": "", "c\nd.py": ""})

    assert _git(tmp_path).names("ls-files", "-z") == [b"a b.py", b"c\nd.py", b"train.py"]


def test_a_failing_command_is_an_error_with_gits_own_words(tmp_path: Path) -> None:
    repository(tmp_path)

    with pytest.raises(CodeError, match=r"git rev-parse failed: .*Needed a single revision"):
        _git(tmp_path).run("rev-parse", "--verify", "nonesuch")


def test_without_git_the_error_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(CodeError, match="git is not on PATH") as caught:
        Git(tmp_path).run("version")

    assert caught.value.hint


def test_a_hung_git_is_given_up_with_all_its_children(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    script = f"sleep 60 &\necho $! $$ > {pids}\nwait"
    monkeypatch.setenv("PATH", _fake_git(tmp_path / "bin", script))
    started = time.monotonic()

    with pytest.raises(CodeError, match="git status did not end in time"):
        Git(tmp_path, timeout_s=0.5).run("status")

    assert time.monotonic() - started < 10
    assert all(_ends(int(pid)) for pid in pids.read_text().split())


def test_a_git_that_ends_but_leaves_its_pipe_to_a_child_is_given_up_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pids = tmp_path / "pids"
    monkeypatch.setenv("PATH", _fake_git(tmp_path / "bin", f"sleep 60 &\necho $! > {pids}"))

    with pytest.raises(CodeError, match="did not end in time"):
        Git(tmp_path, timeout_s=0.5).run("status")

    assert _ends(int(pids.read_text()))


def test_a_git_that_reads_nothing_is_given_up_while_we_write(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", _fake_git(tmp_path / "bin", "sleep 60"))

    def feed() -> None:
        with Git(tmp_path, timeout_s=0.5).started("fast-import") as process:
            assert process.stdin is not None
            process.stdin.write(b"x" * 1_000_000)

    with pytest.raises(CodeError, match="did not end in time"):
        feed()


def test_an_error_of_ours_ends_git_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", _fake_git(tmp_path / "bin", "sleep 60"))
    pids: list[int] = []

    def fail() -> None:
        with Git(tmp_path).started("fast-import") as process:
            pids.append(process.pid)
            raise KeyError

    with pytest.raises(KeyError):
        fail()

    assert _ends(pids[0])


def test_git_sees_nothing_of_our_environment_but_path_and_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", _fake_git(tmp_path / "bin", "env"))
    monkeypatch.setenv("GIT_DIR", "/elsewhere")
    monkeypatch.setenv("WANDB_API_KEY", "secret")

    told = Git(tmp_path).run("status").decode()

    names = {line.partition("=")[0] for line in told.splitlines()}
    allowed = {"PATH", "HOME", "XDG_CONFIG_HOME", "LC_ALL", "PWD", "SHLVL", "OLDPWD", "_"}
    assert {name for name in names - allowed if not name.startswith("GIT_")} == set()
    assert "GIT_DIR" not in names
    assert "GIT_CONFIG_GLOBAL=/dev/null" in told


def test_a_repository_of_another_owner_can_be_read(tmp_path: Path) -> None:
    repository(tmp_path)
    if os.getuid() != 0:
        pytest.skip("only root can give a folder away")
    os.chown(tmp_path, 12345, 12345)
    os.chown(tmp_path / ".git", 12345, 12345)

    assert _git(tmp_path).names("ls-files", "-z") == [b"train.py"]


def test_a_work_tree_set_elsewhere_has_no_say(tmp_path: Path) -> None:
    made = repository(tmp_path / "code")
    made.git("config", "core.worktree", str(tmp_path))
    (tmp_path / "private.txt").write_text("not code")

    assert _git(made.path).names("ls-files", "-z", "--others") == []


def test_a_private_repository_has_no_hook_and_no_template(tmp_path: Path) -> None:
    private_repository(tmp_path)

    assert not (tmp_path / "hooks").exists()
    assert (tmp_path / "objects").is_dir()


def test_a_setting_of_the_user_is_read_from_their_home(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / ".gitconfig").write_text("[core]\n  excludesFile = ~/ignored\n")
    monkeypatch.setenv("HOME", str(tmp_path))

    assert user_setting("core.excludesFile") == str(tmp_path / "ignored")


def test_a_setting_that_is_not_set_is_empty(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert user_setting("nobody.setsThis") == ""
