from __future__ import annotations

import errno
import io
import os
import pty
import signal
import subprocess
import sys
from pathlib import Path

import click
import pytest
from rich.text import Text

from wandb_repro.cli.common import Output, answers, check_new_folder, new_folder
from wandb_repro.errors import InconclusiveError, RefusedError, ReproError, UsageError


def _code(error: BaseException | None, code: int = 0) -> int:
    @answers
    def command() -> int:
        if error is not None:
            raise error
        return code

    with pytest.raises(SystemExit) as caught:
        command()
    assert isinstance(caught.value.code, int)
    return caught.value.code


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (UsageError("x"), 2),
        (InconclusiveError("x"), 3),
        (RefusedError("x"), 4),
        (KeyboardInterrupt(), 130),
        (click.Abort(), 130),
        (OSError(errno.ENOSPC, "No space left on device"), 4),
    ],
)
def test_each_end_has_its_own_exit_code(error: BaseException, code: int) -> None:
    assert _code(error) == code


def test_a_commands_own_exit_code_is_kept() -> None:
    assert _code(None, 1) == 1


@pytest.mark.parametrize(
    ("message", "printed"),
    [
        ("the code is gone", "error  The code is gone.\n"),
        ("uv is not here.", "error  uv is not here.\n"),
        ("/a/b c is gone", "error  /a/b c is gone.\n"),
        ("is this it?", "error  Is this it?\n"),
    ],
)
def test_an_error_is_one_whole_sentence(
    message: str, printed: str, capsys: pytest.CaptureFixture[str]
) -> None:
    _code(ReproError(message))
    assert capsys.readouterr().err == printed


def test_a_path_in_an_error_is_not_broken(capsys: pytest.CaptureFixture[str]) -> None:
    path = "/" + "long/" * 40
    _code(ReproError(f"There is no {path}.", hint="Make it."))
    assert f"There is no {path}." in capsys.readouterr().err


def test_the_systems_word_on_a_file_names_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    _code(OSError(errno.EACCES, "Permission denied", "/a/b"))
    assert capsys.readouterr().err.startswith("error  /a/b: Permission denied.\n")


def test_kill_and_a_closed_terminal_are_an_interruption() -> None:
    @answers
    def command() -> int:
        os.kill(os.getpid(), signal.SIGTERM)
        raise AssertionError

    with pytest.raises(SystemExit) as caught:
        command()
    assert caught.value.code == 130
    assert signal.getsignal(signal.SIGTERM) == signal.SIG_DFL


def test_a_closed_terminal_does_not_end_what_was_started_with_nohup() -> None:
    @answers
    def command() -> int:
        os.kill(os.getpid(), signal.SIGHUP)
        return 1

    before = signal.signal(signal.SIGHUP, signal.SIG_IGN)
    try:
        with pytest.raises(SystemExit) as caught:
            command()
    finally:
        signal.signal(signal.SIGHUP, before)
    assert caught.value.code == 1


@pytest.mark.parametrize("as_json", [True, False])
def test_a_reader_that_goes_away_does_not_change_the_answer(as_json: bool) -> None:
    code = (
        "import sys\n"
        "from wandb_repro.cli.common import Output, answers\n"
        "@answers\n"
        "def command():\n"
        "    sys.stdin.read()\n"
        f"    Output(as_json={as_json}).report('text ' * 9999, ['data'] * 9999)\n"
        "    return 3\n"
        "command()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    process.stdout.close()
    process.stdout = None
    _, errors = process.communicate(b"")
    assert (process.returncode, errors) == (3, b"")


class _Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize("no_color", [True, False])
def test_no_color_is_respected(no_color: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _Terminal()
    monkeypatch.setattr(sys, "stdout", terminal)
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    Output(as_json=False).report(Text("identical", style="bold green"), None)
    assert ("\x1b" in terminal.getvalue()) is not no_color


@pytest.mark.parametrize("stderr", [False, True])
def test_a_terminal_without_a_letter_gets_another(
    stderr: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ascii_only = io.TextIOWrapper(io.BytesIO(), encoding="ascii", errors="strict")
    monkeypatch.setattr(sys, "stderr" if stderr else "stdout", ascii_only)

    output, text = Output(as_json=False), Text("✓ 2 × 3 → häuser …")
    if stderr:
        output.tell(text)
    else:
        output.report(text, {})

    ascii_only.flush()
    printed = ascii_only.buffer
    assert isinstance(printed, io.BytesIO)
    assert printed.getvalue() == b"+ 2 x 3 > h\\xe4user .\n"


def test_a_folder_that_holds_something_or_is_a_file_is_not_new(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    for path in (tmp_path, tmp_path / "file"):
        with pytest.raises(UsageError):
            check_new_folder(path)
    assert check_new_folder(tmp_path / "new") == tmp_path / "new"
    assert not (tmp_path / "new").exists()


def test_a_folder_that_could_not_be_filled_is_taken_away(tmp_path: Path) -> None:
    def fill() -> None:
        with new_folder(tmp_path / "new") as folder:
            (folder / "half").touch()
            raise OSError(errno.ENOSPC, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        fill()
    assert list(tmp_path.iterdir()) == []


_BAR = """
from wandb_repro.cli.common import Output
with Output(as_json=False).bar("Reading runs") as advance:
    for _ in range(3):
        advance(3)
print("done")
"""


@pytest.mark.parametrize("terminal", [True, False])
def test_progress_is_drawn_on_a_terminal_and_nowhere_else(terminal: bool) -> None:
    reader, writer = pty.openpty() if terminal else os.pipe()
    done = subprocess.run(
        [sys.executable, "-c", _BAR],
        stdout=subprocess.PIPE,
        stderr=writer,
        env={**os.environ, "TERM": "xterm", "COLUMNS": "80"},
        check=True,
    )
    os.close(writer)
    try:
        drawn = os.read(reader, 1 << 16)
    except OSError:  # a terminal whose other end is closed and that is empty
        drawn = b""
    os.close(reader)
    assert done.stdout == b"done\n"
    assert (b"Reading runs" in drawn) == terminal
    assert (b"3/3" in drawn) == terminal
