from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from wandb_repro.capture.guard import STRICT_VARIABLE
from wandb_repro.capture.process import opened_files as module
from wandb_repro.capture.process.opened_files import OpenedFiles

READ = os.O_RDONLY | os.O_CLOEXEC
WRITE = os.O_WRONLY | os.O_CREAT | os.O_TRUNC


@pytest.fixture(name="data")
def _data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    path = tmp_path / "data.csv"
    path.write_text("1,2\n")
    return path


def _open(openings: OpenedFiles, path: object, flags: object = READ) -> None:
    openings.notice("open", (path, "r", flags))


def test_a_file_read_is_noted_with_its_size(data: Path) -> None:
    openings = OpenedFiles()
    _open(openings, str(data))
    assert openings.read == {str(data): (str(data), 4)}


def test_a_relative_path_is_kept_as_it_was_given(data: Path) -> None:
    openings = OpenedFiles()
    _open(openings, "data.csv")
    _open(openings, b"./data.csv")
    assert openings.read == {str(data): ("data.csv", 4)}


def test_a_relative_path_belongs_to_the_folder_of_that_moment(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    openings = OpenedFiles()
    _open(openings, "data.csv")
    other = data.parent / "other"
    other.mkdir()
    monkeypatch.chdir(other)
    (other / "data.csv").write_text("x")
    _open(openings, "data.csv")
    assert sorted(openings.read) == [str(data), str(other / "data.csv")]


@pytest.mark.parametrize("flags", [WRITE, os.O_RDWR, os.O_WRONLY | os.O_APPEND])
def test_what_the_run_wrote_itself_is_not_read(data: Path, flags: int) -> None:
    openings = OpenedFiles()
    _open(openings, str(data), flags)
    _open(openings, str(data))
    assert not openings.read


def test_what_was_read_first_stays_read(data: Path) -> None:
    openings = OpenedFiles()
    _open(openings, str(data))
    _open(openings, str(data), WRITE)
    assert list(openings.read) == [str(data)]


def test_a_file_written_under_another_name_is_the_runs_own(data: Path) -> None:
    openings = OpenedFiles()
    _open(openings, "data.tmp", WRITE)
    openings.notice("os.rename", ("data.tmp", str(data), -1, -1))
    _open(openings, str(data))
    assert not openings.read


def test_looking_for_a_file_that_is_not_there_yet_is_no_reading(data: Path) -> None:
    openings = OpenedFiles()
    _open(openings, "later.csv")
    Path("later.csv").write_text("x")
    _open(openings, "later.csv", WRITE)
    assert not openings.read
    assert openings.written == {str(data.parent / "later.csv")}


@pytest.mark.parametrize(
    ("event", "arguments"),
    [
        ("open", ()),
        ("open", (3, "r", READ)),
        ("open", (None, "r", READ)),
        ("open", (object(), "r", READ)),
        ("open", ("a\0b", "r", READ)),
        ("open", ("", "r", READ)),
        ("open", (".", "r", READ)),
        ("open", ("data.csv", "r", None)),
        ("open", ("/etc/hostname", "r", READ)),
        ("open", (os.__file__, "r", READ)),
        ("open", (pytest.__file__, "r", READ)),
        ("os.rename", ()),
        ("import", ("data.csv", None, READ)),
    ],
)
@pytest.mark.usefixtures("data")
def test_everything_else_is_passed_over(event: str, arguments: tuple[object, ...]) -> None:
    openings = OpenedFiles()
    openings.notice(event, arguments)
    openings.check()
    assert not openings.read
    assert not openings.written


def test_nothing_is_noted_while_off(data: Path) -> None:
    openings = OpenedFiles()
    openings.on = False
    _open(openings, str(data))
    assert not openings.read


def test_the_number_of_files_is_bounded(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 3)
    openings = OpenedFiles()
    for number in range(5):
        Path(f"{number}").write_text("x")
        _open(openings, f"{number}")
        _open(openings, f"w{number}", WRITE)
    assert (len(openings.read), len(openings.written)) == (3, 3)
    assert openings.has_more
    assert data.exists()


def test_a_folder_is_no_file_too_many(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 1)
    openings = OpenedFiles()
    _open(openings, str(data))
    _open(openings, str(data.parent))
    assert not openings.has_more


def test_a_fault_of_ours_is_raised_at_the_next_call_and_never_in_the_users_open(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    openings = OpenedFiles()
    monkeypatch.delattr(openings, "read")
    _open(openings, str(data))
    with pytest.raises(AttributeError, match="read"):
        openings.check()
    openings.check()


@pytest.mark.usefixtures("lenient")
def test_a_fault_of_ours_does_not_stop_a_training(data: Path) -> None:
    openings = OpenedFiles()
    del openings.read
    _open(openings, str(data))
    openings.check()


SCRIPT = """
import os, pathlib, shutil
from wandb_repro.capture.process.opened_files import OpenedFiles
found = OpenedFiles.of_process()
assert OpenedFiles.of_process() is found
open("a").read(); pathlib.Path("b").read_bytes(); os.close(os.open("c", os.O_RDONLY))
shutil.copy("a", "copy"); open("copy").read()
try: open("missing")
except FileNotFoundError: pass
print(sorted(path for path, _ in found.read.values()))
"""


def test_python_announces_every_way_to_open(tmp_path: Path) -> None:
    for name in "abc":
        (tmp_path / name).write_text(name)
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == "['a', 'b', 'c']", done.stderr
