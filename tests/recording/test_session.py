"""One run being recorded: what it writes, what it refuses, and when it is closed."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.fake_host import FakeHost
from tests.support.fake_run import FakeRun
from wandb_repro.errors import RecordingError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Ending
from wandb_repro.manifest.request import Options
from wandb_repro.manifest.trail_records import End, Missing
from wandb_repro.recording import messages
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.mode import Recording
from wandb_repro.recording.seeding import Seeding
from wandb_repro.recording.session import Session
from wandb_repro.store.local import read_manifest, read_trail


@pytest.fixture(autouse=True)
def nothing_said() -> None:
    messages.forget()


def session_in(folder: Path, **options: Any) -> Session:
    host = FakeHost(started_in=str(folder), command_line=("python", "train.py"))
    return Session(
        FakeRun.below(folder),
        host,
        Seeding(5, asked=5, deterministic=None, drawn=False),
        Options.model_validate({"code": "off", **options}),
        mode=Recording(),
        world_size=1,
    )


def ending_of(session: Session) -> Ending | Unavailable:
    return read_manifest(session.capsule).ending


def test_a_manifest_is_on_the_disk_as_soon_as_the_run_begins(tmp_path: Path) -> None:
    session = session_in(tmp_path)

    manifest = read_manifest(session.capsule)
    assert (manifest.run.id, manifest.execution.seed) == ("a1b2c3d4", "5")
    assert ending_of(session) == Unavailable(unavailable="the run has not ended")
    session.finish()


def test_a_closed_session_is_closed_once_and_has_an_end_in_trail_and_manifest(
    tmp_path: Path,
) -> None:
    session = session_in(tmp_path)
    session.finish()
    before = session.capsule.manifest.stat().st_mtime_ns
    session.finish()

    assert session.ended
    assert ending_of(session) == Ending(status="finished", detail="")
    assert read_trail(session.capsule).end == End(status="finished", fits=0)
    assert session.capsule.manifest.stat().st_mtime_ns == before


def raised(error: BaseException) -> BaseException:
    try:
        raise error
    except BaseException as caught:  # noqa: BLE001 - of any kind
        return caught


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (ValueError("quokka"), "failed"),
        (KeyboardInterrupt(), "interrupted"),
        (RerunStopped(0), "interrupted"),
        (SystemExit(3), "failed"),
    ],
)
def test_the_exception_that_ends_the_process_decides_how_it_ended(
    tmp_path: Path, error: BaseException, status: str
) -> None:
    session = session_in(tmp_path)
    session.stopped_by(raised(error))
    session.finish()

    ending = ending_of(session)
    assert isinstance(ending, Ending)
    assert (ending.status, ending.detail) == (status, type(error).__name__)
    assert ending.place.startswith("tests.recording.test_session:")
    assert "quokka" not in session.capsule.manifest.read_text()


def test_a_run_that_is_finished_while_an_error_passes_by_has_failed(tmp_path: Path) -> None:
    session = session_in(tmp_path)

    def train() -> None:
        try:
            raise TypeError
        finally:
            session.finish()

    with pytest.raises(TypeError):
        train()
    ending = ending_of(session)
    assert isinstance(ending, Ending)
    assert (ending.status, ending.detail) == ("failed", "TypeError")


@pytest.mark.parametrize(("goes_on", "at_exit"), [(True, True), (False, False)])
def test_an_exit_that_was_caught_is_not_how_the_run_ended(
    tmp_path: Path, *, goes_on: bool, at_exit: bool
) -> None:
    session = session_in(tmp_path)
    session.exits(3, sys._getframe())  # pyright: ignore[reportPrivateUsage]
    if goes_on:
        session.log({"loss": 1.0}, None, None)
    session.finish(at_exit=at_exit)

    assert ending_of(session) == Ending(status="finished")


def test_an_exit_ends_the_run_where_the_script_called_it(tmp_path: Path) -> None:
    session = session_in(tmp_path)
    session.exits("no data", sys._getframe())  # pyright: ignore[reportPrivateUsage]
    session.finish(at_exit=True)

    ending = ending_of(session)
    assert isinstance(ending, Ending)
    assert (ending.status, ending.exit_code) == ("failed", 1)
    assert ending.place.startswith("tests.recording.test_session:")


def test_strict_names_each_part_that_could_not_be_recorded(tmp_path: Path) -> None:
    session = session_in(tmp_path, strict=True)

    with pytest.raises(RecordingError, match=r"strict=True, .*code \(") as caught:
        session.check_complete()

    assert "trail (" not in caught.value.message
    session.finish()


def test_a_moment_without_a_digest_is_in_the_trail_with_its_reason(tmp_path: Path) -> None:
    session = session_in(tmp_path)
    lost = Missing(fit=1, moment="initial", epoch=0, step=0, reason="not built yet")
    session.write(lost)
    session.finish()

    assert read_trail(session.capsule).missing == (lost,)


def test_a_forked_child_records_nothing_and_closes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = session_in(tmp_path)
    with monkeypatch.context() as child:
        child.setattr(os, "getpid", lambda: -1)
        session.write(Missing(fit=1, moment="initial", epoch=0, step=0, reason="in the child"))
        assert session.begin_fit(None) == 0
        assert session.ended
        session.finish()

    assert isinstance(ending_of(session), Unavailable)
    session.finish()
    assert read_trail(session.capsule).missing == ()


def test_the_steps_of_the_options_are_those_of_a_callback_without_any(tmp_path: Path) -> None:
    session = session_in(tmp_path, steps=[1, 5])

    assert session.steps == [1, 5]
    assert not session.wants_step(5, fit=1, epochs=0)
    session.finish()
