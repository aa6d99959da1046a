from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from wandb_repro.capture.host import Host


def test_this_process_is_told() -> None:
    host = Host()
    assert host.process_id() == os.getpid()
    assert host.command_line == tuple(sys.orig_argv)
    assert host.modules is sys.modules
    assert host.memory_bytes() > 2**20


def test_the_working_directory_is_that_of_the_beginning(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    host = Host()
    monkeypatch.chdir("/")
    assert host.started_in == str(tmp_path)


def test_installed_commands_stand_in_the_environments_folder() -> None:
    assert str(Path(sys.prefix) / "bin") in Host().command_folders


def test_links_are_followed_to_what_may_not_exist(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "real")
    found = Host().real_path(str(tmp_path / "link/x"))
    assert found == str(tmp_path.resolve() / "real/x")


def test_files_are_read_even_when_they_are_not_utf8(tmp_path: Path) -> None:
    (tmp_path / "b").write_bytes(b"a\xff")
    (tmp_path / "a").touch()
    host = Host()
    assert host.read_text(str(tmp_path / "b")) == "a\N{REPLACEMENT CHARACTER}"
    assert host.list_folder(str(tmp_path)) == ("a", "b")
