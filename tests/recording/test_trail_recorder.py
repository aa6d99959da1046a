from __future__ import annotations

import tracemalloc
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array
from wandb_repro.manifest.trail import Digested, Trail
from wandb_repro.manifest.trail_records import End, Missing, Moment, Structure
from wandb_repro.recording.trail_recorder import TrailRecorder
from wandb_repro.recording.trail_sink import Point
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_trail


def variables(value: float) -> list[Variable]:
    return [
        Variable("trainable", f"dense_{place}/kernel", cast("Array", np.full(3, value)))
        for place in range(2)
    ]


def digest(recorder: TrailRecorder, fit: int, step: int, moment: Moment = "step") -> None:
    recorder.weights(Point(moment, fit, epoch=0, step=step), variables(step))


def ended(recorder: TrailRecorder, folder: Path) -> Trail:
    recorder.end("finished")
    return read_trail(Capsule(folder))


@pytest.fixture
def recorder(tmp_path: Path) -> TrailRecorder:
    return TrailRecorder(Capsule(tmp_path).trail)


def test_fits_are_numbered_from_one_and_counted_in_the_end_record(
    recorder: TrailRecorder, tmp_path: Path
) -> None:
    assert [recorder.begin_fit(), recorder.begin_fit()] == [1, 2]
    recorder.end_fit(1)
    assert recorder.begin_fit() == 3
    assert ended(recorder, tmp_path).end == End(status="finished", fits=3)


def test_thousands_of_fits_take_no_more_memory_than_ten(recorder: TrailRecorder) -> None:
    def train(fits: int) -> None:
        for _ in range(fits):
            fit = recorder.begin_fit()
            digest(recorder, fit, step=1)
            recorder.end_fit(fit)

    train(10)
    tracemalloc.start()
    train(2_000)
    grown = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    assert recorder.fits == 2_010
    assert grown < 300_000  # kept, they are more than 2 MB


def test_an_inner_fit_that_ends_leaves_the_outer_one_as_it_was(
    recorder: TrailRecorder, tmp_path: Path
) -> None:
    outer = recorder.begin_fit()
    digest(recorder, outer, step=1)
    inner = recorder.begin_fit()
    digest(recorder, inner, step=1)
    recorder.end_fit(inner)
    digest(recorder, outer, step=2)
    trail = ended(recorder, tmp_path)
    # The outer fit's variables are still known: they are not described a second time.
    assert [record.fit for record in trail.of(Structure)] == [outer, inner]
    assert [(it.fit, it.step) for it in trail.moments()] == [(1, 1), (2, 1), (1, 2)]


def test_two_fits_in_turns_are_each_written_against_their_own_record_before(
    recorder: TrailRecorder, tmp_path: Path
) -> None:
    one, two = recorder.begin_fit(), recorder.begin_fit()
    for step in (1, 2):
        for fit in (one, two):
            digest(recorder, fit, step)
    steps = [it for it in ended(recorder, tmp_path).weights if isinstance(it, Digested)]
    assert [(it.fit, it.step) for it in steps] == [(1, 1), (2, 1), (1, 2), (2, 2)]
    assert steps[0].root == steps[1].root != steps[2].root == steps[3].root


def test_a_late_record_of_a_fit_that_ended_is_written_and_not_kept(
    recorder: TrailRecorder, tmp_path: Path
) -> None:
    fit = recorder.begin_fit()
    recorder.end_fit(fit)
    for step in (1, 2):
        digest(recorder, fit, step)
    assert (
        len(list(ended(recorder, tmp_path).of(Structure))) == 2
    )  # described again: nothing was kept


def test_a_fit_may_be_ended_twice(recorder: TrailRecorder) -> None:
    fit = recorder.begin_fit()
    recorder.end_fit(fit)
    recorder.end_fit(fit)


def test_a_model_without_variables_has_a_reason_instead_of_a_digest(
    recorder: TrailRecorder, tmp_path: Path
) -> None:
    recorder.begin_fit()
    recorder.weights(Point("initial", fit=1, epoch=0, step=0), [])
    (record,) = ended(recorder, tmp_path).of(Missing)
    assert (record.fit, record.reason) == (1, "the model has no variables")


def test_after_a_failed_write_nothing_more_is_written(
    recorder: TrailRecorder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    path = Capsule(tmp_path).trail
    written = path.read_bytes()
    lost = Missing(fit=1, moment="final", epoch=0, step=0, reason="planted")
    with monkeypatch.context() as patched:
        patched.setattr("wandb_repro.store.local.TrailWriter.append", full)
        with pytest.raises(OSError, match="No space left"):
            recorder.write(lost)
    recorder.write(lost)
    assert path.read_bytes() == written


def test_without_an_original_no_step_is_wanted(recorder: TrailRecorder) -> None:
    assert not recorder.wants_step(1, fit=1, epochs=0)
    assert not recorder.wants_steps(1)
