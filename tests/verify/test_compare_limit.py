"""The part of two trainings that is compared."""

from __future__ import annotations

import pytest

from tests.support.records import moment, moments, trail
from wandb_repro.verify.compare_limit import Limit


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(), ""),
        (Limit(epoch=3), "epoch 3"),
        (Limit(epoch=3, step=20), "epoch 3 and step 20"),
        (Limit(after=1), "the end, from the checkpoint of epoch 1"),
        (
            Limit(epoch=4, after=1, fit=2),
            "epoch 4 of fit 2, from the checkpoint of epoch 1 of fit 2",
        ),
        (
            Limit(after=0, fit=2, passed=(1,)),
            "the end, from the start of fit 2; not compared: fit 1",
        ),
    ],
)
def test_a_limit_reads_as_words(limit: Limit, words: str) -> None:
    assert str(limit) == words


def test_the_first_moment_that_reaches_the_limit_is_the_last() -> None:
    within = [weights.epoch for weights, _ in Limit(epoch=2).within(trail().with_shapes())]

    assert within[-1] == 2
    assert len(within) < len(moments())


def test_the_initial_weights_reach_no_limit() -> None:
    assert not Limit(epoch=0).reached_by(moment("initial", epoch=0, step=0))


def test_a_segment_begins_after_its_checkpoint() -> None:
    limit = Limit(after=2)

    assert limit.before(moment(epoch=2, step=20))
    assert not limit.before(moment(epoch=3, step=30))
    assert not limit.before(moment("step", epoch=2, step=21))


def test_a_fit_that_was_skipped_is_not_compared() -> None:
    assert Limit(after=0, fit=2, passed=(1,)).leaves_out(1)
    assert not Limit(after=0, fit=2, passed=(1,)).leaves_out(2)
