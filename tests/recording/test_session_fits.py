from __future__ import annotations

import pytest

from tests.support.training import Young, recorded_in
from wandb_repro import api
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.session import Session


@pytest.fixture(autouse=True)
def _without_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    """Read no settings of a model: there is none, and an earlier test may have imported Keras."""

    def probe(*_: object) -> Unavailable:
        return Unavailable(unavailable="no model is trained here")

    monkeypatch.setattr("wandb_repro.recording.session.probe_settings", probe)


def begun(offline: Young) -> Session:
    import wandb_repro

    offline.begin()
    session = api.find_session(wandb_repro.init(project="p", seed=5, code="off"))
    assert session is not None
    return session


def status_at_the_end(session: Session) -> str:
    session.finish()
    return getattr(recorded_in(session.run.dir).manifest.ending, "status", "")


@pytest.mark.parametrize(
    ("ended", "status"),
    [((2, 1), "finished"), ((1, 2), "finished"), ((2,), "interrupted"), ((1,), "interrupted")],
    ids=["nested", "in turns", "the inner one only", "the outer one only"],
)
def test_a_run_has_finished_only_when_each_of_its_fits_has_ended(
    offline: Young, ended: tuple[int, ...], status: str
) -> None:
    session = begun(offline)
    assert [session.begin_fit(None), session.begin_fit(None)] == [1, 2]
    for fit in ended:
        session.end_fit(fit)
    assert status_at_the_end(session) == status


def test_fits_are_counted_where_no_trail_can_be_written(
    offline: Young, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise OSError(13, "Permission denied")

    monkeypatch.setattr("wandb_repro.recording.trail_recorder.TrailWriter", refuse)
    session = begun(offline)
    assert [session.begin_fit(None), session.begin_fit(None)] == [1, 2]
    session.end_fit(2)
    assert status_at_the_end(session) == "interrupted"
