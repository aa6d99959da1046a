"""Our lines go to a logger, and W&B's silence holds for them on standard error."""

from __future__ import annotations

import logging
import sys
from collections.abc import Generator
from types import SimpleNamespace

import pytest

from wandb_repro.manifest.request import REQUEST_VARIABLE
from wandb_repro.recording.message_handler import NAME, SILENT_VARIABLE
from wandb_repro.recording.messages import forget, say, warn_once
from wandb_repro.recording.process_state import process


@pytest.fixture(autouse=True)
def logger(monkeypatch: pytest.MonkeyPatch) -> Generator[logging.Logger]:
    """The logger as nobody has changed it; the process's own is put back."""
    found = logging.getLogger(NAME)
    before = found.handlers, found.level, found.propagate
    found.handlers, found.propagate = [], True
    found.setLevel(logging.NOTSET)
    for variable in (SILENT_VARIABLE, "WANDB_SILENT", "WANDB_QUIET", REQUEST_VARIABLE):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setattr(process, "wishes", None)
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(run=None))
    forget()
    yield found
    forget()
    found.handlers, found.propagate = before[0], before[2]
    found.setLevel(before[1])


def _said(capsys: pytest.CaptureFixture[str]) -> str:
    """Return which of an information, a warning and an error are printed."""
    say("info")
    warn_once("warned")
    say("error", logging.ERROR)
    forget()
    printed = capsys.readouterr()
    assert printed.out == ""
    assert set(printed.err.splitlines()) <= {
        *("wandb_repro: info", "wandb_repro: warning: warned", "wandb_repro: error")
    }
    return " ".join(line.split()[-1] for line in printed.err.splitlines())


def test_a_line_is_printed_once_though_the_root_logger_prints_too(
    capsys: pytest.CaptureFixture[str],
) -> None:
    root = logging.StreamHandler(sys.stderr)
    logging.getLogger().addHandler(root)
    try:
        assert _said(capsys) == "info warned error"
    finally:
        logging.getLogger().removeHandler(root)


@pytest.mark.parametrize(
    ("variables", "said"),
    [
        ({"WANDB_SILENT": "true"}, "error"),
        ({"WANDB_SILENT": "1", "WANDB_QUIET": "on"}, "error"),
        ({"WANDB_SILENT": "false"}, "info warned error"),
        ({"WANDB_QUIET": "true"}, "warned error"),
        ({"WANDB_SILENT": "true", SILENT_VARIABLE: "false"}, "info warned error"),
        ({SILENT_VARIABLE: "true"}, "error"),
        ({"WANDB_SILENT": "true", REQUEST_VARIABLE: "/order.json"}, "info warned error"),
    ],
)
def test_wandbs_variables_hold_for_our_lines_and_ours_before_them(
    variables: dict[str, str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    assert _said(capsys) == said


@pytest.mark.parametrize(
    ("silent", "quiet", "said"),
    [
        (True, False, "error"),
        (False, True, "warned error"),
        (False, False, "info warned error"),
        (None, None, "info warned error"),
    ],
)
def test_a_runs_settings_hold_too_even_after_its_end(
    silent: bool | None,
    quiet: bool | None,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = SimpleNamespace(settings=SimpleNamespace(silent=silent, quiet=quiet))
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(run=run))
    assert _said(capsys) == said
    monkeypatch.setitem(sys.modules, "wandb", SimpleNamespace(run=None))
    assert _said(capsys) == said


def test_whoever_has_a_handler_gets_the_lines_instead(
    logger: logging.Logger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("WANDB_SILENT", "true")
    got: list[tuple[str, str]] = []

    class Mine(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            got.append((record.levelname, record.getMessage()))

    logger.addHandler(Mine())
    assert _said(capsys) == ""
    assert got == [("INFO", "info"), ("WARNING", "warned"), ("ERROR", "error")]


def test_a_level_and_disabling_silence(
    logger: logging.Logger, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    logger.setLevel(logging.ERROR)
    assert _said(capsys) == "error"
    monkeypatch.setattr(logger, "disabled", True)
    assert _said(capsys) == ""


def test_a_handler_that_fails_stops_nothing(logger: logging.Logger) -> None:
    class Broken(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            raise RuntimeError(record)

    logger.addHandler(Broken())
    say("nobody gets this")
