from __future__ import annotations

from typing import Any

import pytest

from wandb_repro.recording.log_tap import tap_logs
from wandb_repro.recording.process_state import process


class Session:
    """Keeps what it gets."""

    def __init__(self, run: object) -> None:
        self.run = run
        self.logged: list[tuple[object, object, object]] = []

    def log(self, data: object, step: object, commit: object) -> None:
        self.logged.append((data, step, commit))


@pytest.fixture
def kind(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give W&B's class of runs with a method that only counts."""
    from wandb.sdk.wandb_run import Run

    def counted(self: Any, data: Any, step: Any = None, commit: Any = None) -> str:
        return f"{self.id} {data} {step} {commit}"

    monkeypatch.setattr(Run, "_partial_history_callback", counted)
    return Run


def made(kind: Any, run_id: str) -> Any:
    class Named(kind):
        id = run_id

        def __init__(self) -> None:
            """Begin nothing."""

        def __del__(self) -> None:
            """End nothing."""

    return Named()


def test_a_recorded_run_s_rows_reach_its_session(
    kind: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    run, other = made(kind, "one"), made(kind, "two")
    session: Any = Session(run)
    monkeypatch.setattr(process, "sessions", {"one": session})

    assert tap_logs() == ""
    assert run._partial_history_callback({"a": 1}, 3, True) == "one {'a': 1} 3 True"
    other._partial_history_callback({"b": 1})

    assert session.logged == [({"a": 1}, 3, True)]


def test_it_is_wrapped_once(kind: Any) -> None:
    tap_logs()
    wrapped = kind._partial_history_callback
    tap_logs()

    assert kind._partial_history_callback is wrapped


def test_a_version_without_it_is_named(kind: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(kind, "_partial_history_callback")

    assert "has no Run._partial_history_callback" in tap_logs()
