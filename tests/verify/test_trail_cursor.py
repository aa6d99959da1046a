"""A walk through a trail, in step with another training."""

from __future__ import annotations

from tests.support.records import SHAPES, moment, moments, trail
from wandb_repro.manifest.trail_records import Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.trail_cursor import BatchStarts, MomentKey, MomentKeys, TrailCursor


def keys_of(found: list[Weights]) -> list[MomentKey]:
    keys = MomentKeys()
    return [keys.key(weights) for weights in found]


def test_a_moment_that_comes_twice_has_two_keys() -> None:
    twice = moment(epoch=1, step=10)

    found = keys_of([twice, twice, moment(epoch=2, step=20), moment(epoch=1, step=10, fit=2)])

    assert [key[-1] for key in found] == [1, 2, 1, 1]
    assert found[0] == (1, "epoch", 1, 10, 1)


def test_each_moment_is_taken_once_with_its_shapes() -> None:
    cursor = TrailCursor(trail(), Limit())

    taken = [cursor.take(key) for key in keys_of(moments())]

    assert [one.weights for one in taken if one] == moments()
    assert {one.shapes for one in taken if one} == {SHAPES}
    assert cursor.at_end
    assert cursor.take(keys_of(moments())[0]) is None


def test_a_moment_that_was_passed_over_can_be_taken_later() -> None:
    cursor = TrailCursor(trail(), Limit())
    initial, first, *_ = keys_of(moments())

    assert cursor.take(first) is not None
    assert cursor.take(initial) is not None


def test_the_walk_stops_before_a_later_moment() -> None:
    cursor = TrailCursor(trail([moment(epoch=2, step=20)]), Limit())

    assert cursor.take((1, "epoch", 1, 10, 1)) is None
    assert not cursor.at_end
    assert cursor.take((1, "epoch", 2, 20, 1)) is not None


def test_the_rest_is_what_was_never_taken_in_order() -> None:
    cursor = TrailCursor(trail(), Limit())
    cursor.take(keys_of(moments())[2])

    rest = [one.weights for one in cursor.rest()]

    assert rest == [*moments()[:2], *moments()[3:]]
    assert cursor.at_end


def test_moments_after_the_limit_do_not_count() -> None:
    cursor = TrailCursor(trail(), Limit(epoch=1))

    counted = [one.weights.moment for one in cursor.rest() if one.in_limit]

    assert counted == ["initial", "step", "epoch"]


def test_the_batches_of_a_step_begin_after_the_step_record_before_it() -> None:
    starts = BatchStarts(Limit(after=1))
    epoch = moment("epoch", epoch=1, step=10)
    steps = [moment("step", epoch=1, step=number) for number in (12, 15)]
    other_fit = moment("step", fit=2, epoch=0, step=3)

    assert starts.since(epoch) == 0
    assert starts.first_step == 10
    assert [starts.since(one, 10) for one in steps] == [10, 12]
    assert starts.since(other_fit, 10) == 0


def test_an_empty_trail_is_at_its_end() -> None:
    cursor = TrailCursor(trail([]), Limit())

    assert cursor.at_end
    assert list(cursor.rest()) == []
    assert cursor.first_step == 0
