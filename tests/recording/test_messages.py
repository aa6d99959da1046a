from __future__ import annotations

import sys
from collections.abc import Generator

import pytest

from wandb_repro.capture.guard import STRICT_VARIABLE
from wandb_repro.recording.messages import forget, harmless, say, warn_once


@pytest.fixture(autouse=True)
def nothing_said() -> Generator[None]:
    forget()
    yield
    forget()


def test_a_message_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    say("two\n  lines")
    assert capsys.readouterr().err == "wandb_repro: two lines\n"


def test_a_warning_is_written_once_until_a_new_run_begins(
    capsys: pytest.CaptureFixture[str],
) -> None:
    warn_once("no trail")
    warn_once("no trail")
    forget()
    warn_once("no trail")
    assert capsys.readouterr().err == "wandb_repro: warning: no trail\n" * 2


def test_nothing_is_raised_without_a_standard_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stderr", None)
    say("nobody reads this")


def test_a_full_disk_becomes_a_warning(capsys: pytest.CaptureFixture[str]) -> None:
    @harmless("the weights")
    def record() -> None:
        raise OSError("No space left on device")

    record()
    record()
    assert capsys.readouterr().err == (
        "wandb_repro: warning: not recorded, training continues: "
        "the weights: OSError: No space left on device\n"
    )


def test_a_fault_of_ours_becomes_a_warning_where_a_user_trains(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @harmless("the weights")
    def record() -> None:
        raise AttributeError("wieghts")

    monkeypatch.delenv(STRICT_VARIABLE, raising=False)
    record()
    assert "the weights: AttributeError: wieghts" in capsys.readouterr().err
    monkeypatch.setenv(STRICT_VARIABLE, "1")
    with pytest.raises(AttributeError):
        record()


def test_ctrl_c_passes() -> None:
    @harmless("the weights")
    def record() -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        record()
