"""A rerun is compared while it trains, and stops when nothing is left to learn."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import SHAPES, granularity, moment, moments, rerun_request, trail
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.request import Beginning
from wandb_repro.manifest.trail import Trail
from wandb_repro.recording.live_compare import LiveComparison, RerunStopped

OTHER = ("a9", "b0", "c0")


def comparison(original: Trail | None = None, **request: Any) -> LiveComparison:
    return LiveComparison(rerun_request(**request), original or trail())


def test_an_equal_training_ends_by_itself_if_the_original_did() -> None:
    live = comparison()
    for weights in moments():
        live.check(weights, SHAPES)
    assert (live.first, live.stopped) == (None, False)


def test_an_equal_training_stops_where_a_killed_original_ended() -> None:
    live = comparison(trail(ended=False))
    *before, last = moments()
    for weights in before:
        live.check(weights, SHAPES)
    with pytest.raises(RerunStopped) as stopped:
        live.check(last, SHAPES)
    assert (stopped.value.code, live.first) == (0, None)


def test_the_first_difference_stops_the_training_and_is_printed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    live = comparison()
    with pytest.raises(RerunStopped):
        live.check(moment("step", epoch=0, step=1, leaves=OTHER), SHAPES)
    assert live.stopped
    assert live.first is not None
    assert "wandb_repro: differs from the original at step 1 (epoch 1)" in capsys.readouterr().err


def test_a_rerun_that_keeps_going_remembers_the_first_difference_only() -> None:
    live = comparison(keep_going=True)
    live.check(moment("step", epoch=0, step=1, leaves=OTHER), SHAPES)
    live.check(moment("epoch", epoch=1, step=10, leaves=OTHER), SHAPES)
    assert live.first is not None
    assert (live.first.moment, live.stopped) == ("step", False)


def test_a_rerun_until_an_epoch_stops_at_its_end(capsys: pytest.CaptureFixture[str]) -> None:
    live = comparison(until_epoch=2)
    initial, step, first, second, *_ = moments()
    for weights in (initial, step, first):
        live.check(weights, SHAPES)
    with pytest.raises(RerunStopped):
        live.check(second, SHAPES)
    assert "compared up to the end of epoch 2" in capsys.readouterr().err


def test_a_rerun_until_a_step_stops_at_the_first_moment_behind_it() -> None:
    live = comparison(until_step=5)
    live.check(moments()[1], SHAPES)
    with pytest.raises(RerunStopped):
        live.check(moments()[2], SHAPES)


def test_a_fit_that_should_resume_but_trains_from_its_start_fails(
    capsys: pytest.CaptureFixture[str],
) -> None:
    live = comparison(from_epoch=2)
    with pytest.raises(RerunStopped) as stopped:
        live.check(moments()[2], SHAPES)
    assert stopped.value.code == 1
    assert "fit 1 did not resume from its checkpoint" in capsys.readouterr().err


def test_the_weights_of_a_fit_that_is_passed_over_are_not_compared() -> None:
    over = Beginning(fit=1, epoch=3, checkpoint="/c", checkpoint_sha256="", is_over=True)
    live = comparison(from_fit=2, from_epoch=0, beginnings=(over,))
    live.check(moment("initial", epoch=0, step=0, leaves=OTHER), SHAPES)
    assert live.first is None


@pytest.mark.parametrize(
    ("fit", "step", "epochs", "wanted"),
    [(1, 10, 0, True), (1, 11, 1, False), (2, 3, 1, True), (2, 3, 0, False), (3, 1, 5, False)],
)
def test_the_steps_of_the_original_and_the_requested_ones_are_digested(
    fit: int, step: int, epochs: int, *, wanted: bool
) -> None:
    original = trail([granularity(fit=1, every=5), *moments()])
    live = comparison(original, steps_fit=2, steps_after_epoch=1)
    assert live.wants_step(fit, step, epochs) is wanted


def test_only_fits_with_digested_steps_want_any() -> None:
    original = trail([granularity(fit=1, every=5), granularity(fit=3, every=0), *moments()])
    live = comparison(original, steps_fit=2)
    assert [live.wants_steps(fit) for fit in (1, 2, 3, 4)] == [True, True, False, False]


def test_a_rerun_digests_the_fits_that_the_original_digested() -> None:
    skipped = granularity(fit=2, every=0).model_copy(
        update={"digests": Unavailable(unavailable="small")}
    )
    live = comparison(trail([granularity(fit=1, every=0), skipped, *moments()]))
    assert [live.digests_fit(fit) for fit in (1, 2, 3)] == [True, False, False]


def test_an_old_trail_without_granularity_tells_its_steps_by_having_them() -> None:
    live = comparison()
    assert [live.wants_step(1, step, 0) for step in (1, 2)] == [True, False]
    assert [live.wants_steps(fit) for fit in (1, 2)] == [True, False]


def test_fits_of_known_models_keep_their_numbers() -> None:
    plans = [granularity(fit=1), granularity(fit=2).model_copy(update={"model": 7})]
    live = comparison(trail(plans))

    assert live.number_of_fit("", 7, 1) == 2
    assert live.number_of_fit("", 7, 2) is None
    assert live.number_of_fit("train#1", 7, 1) is None
    assert live.reserved_fits == {2}


def test_a_thread_whose_first_weights_differ_does_not_stop_the_rerun() -> None:
    plan = granularity(fit=1).model_copy(update={"model": 1, "thread": "train#1"})
    live = comparison(trail([plan, *moments()]))

    live.check(moment("initial", epoch=0, step=0, leaves=OTHER), SHAPES)
    live.check(moment("step", epoch=0, step=1, leaves=OTHER), SHAPES)

    assert (live.first, live.stopped) == (None, False)


def test_a_thread_whose_first_weights_were_equal_stops_where_it_differs() -> None:
    plan = granularity(fit=1).model_copy(update={"model": 1, "thread": "train#1"})
    live = comparison(trail([plan, *moments()]))

    live.check(moments()[0], SHAPES)
    with pytest.raises(RerunStopped):
        live.check(moment("step", epoch=0, step=1, leaves=OTHER), SHAPES)
