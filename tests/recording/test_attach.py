"""What an active run gets of a later ``init``, and when ``init`` begins another run."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any, cast

import pytest

from wandb_repro.manifest.request import Options
from wandb_repro.recording.attach import (
    active_run,
    asks_for_another,
    begun_early,
    find_session,
    merge_into,
)
from wandb_repro.recording.mode import Recording, Rerun
from wandb_repro.recording.process_state import process


class Config:
    """A run's config; W&B takes a changed value only where that is allowed."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values = values

    def update(self, values: dict[str, Any], allow_val_change: bool | None = None) -> None:
        assert allow_val_change
        self.values.update(values)


def active(**config: Any) -> Any:
    return SimpleNamespace(id="run", config=Config(config))


@pytest.fixture(autouse=True)
def new_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(process, "sessions", {})
    monkeypatch.setattr(process, "said", set[str]())
    monkeypatch.setattr(process, "mode", Recording())


def test_the_config_of_a_second_init_is_merged_without_a_word(
    capsys: pytest.CaptureFixture[str],
) -> None:
    run = active(lr=1)
    merge_into(run, {"config": {"lr": 2, "batch": 8}})
    assert run.config.values == {"lr": 2, "batch": 8}
    assert capsys.readouterr().err == ""


def test_arguments_that_come_too_late_are_named(capsys: pytest.CaptureFixture[str]) -> None:
    merge_into(active(), {"project": "p", "name": "n"})
    assert "name, project ignored" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("reinit", "another"),
    [(True, True), ("create_new", True), ("finish_previous", True), ("return_previous", False)],
)
def test_reinit_decides_whether_another_run_begins(reinit: object, *, another: bool) -> None:
    assert asks_for_another(active(), {"reinit": reinit}) is another


@pytest.mark.parametrize(("ended", "found"), [(False, True), (True, False)])
def test_only_a_session_that_is_open_is_found(*, ended: bool, found: bool) -> None:
    process.sessions["run"] = cast("Any", SimpleNamespace(ended=ended))
    assert (find_session(active()) is not None) is found


@pytest.mark.parametrize(
    ("code", "kwargs", "mode"),
    [
        ("off", {}, Recording()),
        ("auto", {"mode": "disabled"}, Recording()),
        ("auto", {}, Rerun(cast("Any", None))),
    ],
)
def test_no_snapshot_is_begun_where_none_is_recorded(
    code: str, kwargs: dict[str, str], mode: Any
) -> None:
    process.mode = mode
    assert begun_early(Options(code=code), kwargs) is None


def test_a_forked_process_has_no_run_until_it_starts_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    parents, own = object(), object()
    wandb = SimpleNamespace(run=parents)
    monkeypatch.setitem(sys.modules, "wandb", cast("Any", wandb))
    assert active_run() is parents
    monkeypatch.setattr(process, "inherited_run", parents)
    assert active_run() is None
    wandb.run = own
    assert active_run() is own
