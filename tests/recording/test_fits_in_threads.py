from __future__ import annotations

from tests.support.records import SHAPES, granularity
from wandb_repro.manifest.trail_records import OTHER_THREADS, WHOLE_RUN, Shape
from wandb_repro.recording.fits_in_threads import FitsInThreads


def fits(*threads: str) -> FitsInThreads:
    return FitsInThreads(
        {
            fit: granularity(fit=fit).model_copy(update={"thread": thread})
            for fit, thread in enumerate(threads, start=1)
        }
    )


def test_a_difference_in_a_fit_of_the_runs_own_thread_always_decides() -> None:
    found = fits("")

    assert [found.decides(1, equal=equal) for equal in (False, True, False)] == [True] * 3
    assert not found.leaves_out(1, SHAPES)


def test_a_fit_of_a_thread_decides_after_its_first_weights_were_equal() -> None:
    found = fits("train#1", "train#2")

    assert found.decides(1, equal=True)
    assert found.decides(1, equal=False)
    assert not found.decides(2, equal=False)
    assert [found.leaves_out(fit, SHAPES) for fit in (1, 2)] == [False, True]


def test_fits_of_a_pool_are_left_to_the_verdict() -> None:
    assert fits(OTHER_THREADS).leaves_out(1, SHAPES)


def test_the_state_of_the_run_is_left_to_the_verdict_if_threads_made_some() -> None:
    shape = Shape(group="trainable", label="model 1: kernel", dtype="float32", shape=(1,))
    made = shape.model_copy(update={"label": "model 1 of thread train#1: kernel"})

    assert not fits("train#1").leaves_out(WHOLE_RUN, [shape])
    assert fits("train#1").leaves_out(WHOLE_RUN, [shape, made])
