from __future__ import annotations

import os
import sys
import time
from pathlib import Path

import pytest

from wandb_repro.errors import RebuildError
from wandb_repro.rerun.environment import uv as uv_module
from wandb_repro.rerun.environment.uv import Answer, find_uv, refuse_unreachable, run_uv


@pytest.fixture
def fake_uv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program in uv's place that prints its arguments, folder and environment."""
    path = tmp_path / "bin" / "uv"
    path.parent.mkdir()
    path.write_text('#!/bin/sh\necho "ARGUMENTS $@"; echo "FOLDER $(pwd) $(ls -A)"; env\n')
    path.chmod(0o755)
    monkeypatch.setattr(uv_module, "find_uv", lambda: path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    return path


def _lines(answer: Answer) -> set[str]:
    return set(answer.output.splitlines())


def test_the_users_indexes_count_and_other_settings_do_not(
    fake_uv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = {"UV_DEFAULT_INDEX": "https://i/simple", "UV_INDEX_CORP_PASSWORD": "x", "NETRC": "/n"}
    dropped = ("UV_COMPILE_BYTECODE", "UV_PYTHON", "UV_OVERRIDE", "VIRTUAL_ENV", "PYTHONPATH")
    dropped += ("CONDA_PREFIX", "PIP_INDEX_URL")
    for name, value in kept.items():
        monkeypatch.setenv(name, value)
    for name in dropped:
        monkeypatch.setenv(name, "1")
    lines = _lines(run_uv(["x"]))
    assert {f"{name}={value}" for name, value in kept.items()} <= lines
    assert not {f"{name}=1" for name in dropped} & lines


def test_a_slow_index_is_waited_for_as_long_as_the_user_says(
    fake_uv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_HTTP_TIMEOUT", raising=False)
    assert "UV_HTTP_TIMEOUT=20" in _lines(run_uv(["x"]))
    monkeypatch.setenv("UV_HTTP_TIMEOUT", "300")
    assert "UV_HTTP_TIMEOUT=300" in _lines(run_uv(["x"]))


def test_it_runs_in_an_empty_folder_that_is_gone_afterwards(fake_uv: Path) -> None:
    (told,) = (line for line in _lines(run_uv(["x"])) if line.startswith("FOLDER "))
    folder = Path(told.split()[1])
    assert told.split()[2:] == []
    assert folder != Path.cwd()
    assert not folder.exists()


def test_only_the_users_own_configuration_file_is_read(fake_uv: Path, tmp_path: Path) -> None:
    own = tmp_path / "config" / "uv" / "uv.toml"
    if not Path("/etc/uv/uv.toml").exists():
        assert "ARGUMENTS --no-config x" in _lines(run_uv(["x"]))
    own.parent.mkdir(parents=True)
    own.touch()
    assert f"ARGUMENTS --config-file {own} x" in _lines(run_uv(["x"]))


def test_a_configuration_file_that_the_user_names_goes_first(
    fake_uv: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_CONFIG_FILE", "/mine/uv.toml")
    assert {"ARGUMENTS x", "UV_CONFIG_FILE=/mine/uv.toml"} <= _lines(run_uv(["x"]))


def test_one_that_does_not_end_is_killed_with_its_children(fake_uv: Path, tmp_path: Path) -> None:
    note = tmp_path / "child"
    fake_uv.write_text(f"#!/bin/sh\nsleep 60 &\necho $! > {note}\nwait\n")
    with pytest.raises(RebuildError, match="did not end"):
        run_uv(["x"], timeout_s=0.5)
    child = int(note.read_text())
    deadline = time.monotonic() + 5
    while _is_alive(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not _is_alive(child)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
        state = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def test_what_went_wrong_is_one_line() -> None:
    answer = Answer(2, "", "warning: x\nerror: No such\n  cause: Because\n\nhint: do\n")
    assert answer.sentence == "No such: Because"
    assert Answer(3, "", "").sentence == "exit 3"


def test_an_index_that_cannot_be_reached_is_an_error_of_its_own() -> None:
    refuse_unreachable(Answer(1, "", "error: No solution found"))
    with pytest.raises(RebuildError) as caught:
        refuse_unreachable(Answer(2, "", "error: Failed to fetch: http://i/simple/six/"))
    assert "UV_DEFAULT_INDEX" in caught.value.hint


def test_without_the_library_uv_is_looked_for_on_the_path(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    program = tmp_path / "uv"
    program.write_text("")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_uv() == program
    monkeypatch.setenv("PATH", "")
    with pytest.raises(RebuildError, match="uv"):
        find_uv()


def test_a_uv_in_a_relative_folder_of_the_path_is_not_started(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "uv").write_text("#!/bin/sh\n")
    (tmp_path / "uv").chmod(0o755)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", ".")
    monkeypatch.setitem(sys.modules, "uv", None)
    with pytest.raises(RebuildError, match="is not installed"):
        find_uv()
