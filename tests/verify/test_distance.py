"""How far apart two trainings are, told from numbers: held against their true distance."""

from __future__ import annotations

import math
import struct
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.support.records import full_manifest, rerun_manifest, trail
from wandb_repro.capture.array_numbers import ALGORITHM, numbers_of
from wandb_repro.digest import leaf_digest, root_digest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Moment, Numbers, Shape, TrailRecord, Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.distance import MARGIN, Distance, distance
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.verdict import Verdict, judge

Array = Any
"""Of NumPy."""
START = [np.zeros(3, "float32")]


def records(
    arrays: Sequence[Array],
    name: Moment = "epoch",
    epoch: int = 1,
    loss: float | None = None,
    *,
    numbers: bool = True,
) -> list[TrailRecord]:
    """Return what a trail holds of these weights."""
    leaves = tuple(leaf_digest(array) for array in arrays)
    groups = ["trainable"] * len(arrays)
    place: dict[str, Any] = {"fit": 1, "moment": name, "epoch": epoch, "step": 10 * epoch}
    weights = Weights(
        root=root_digest(zip(groups, leaves, strict=True)),
        leaves=leaves,
        metrics={} if loss is None else {"loss": loss.hex()},
        **place,
    )
    found = [numbers_of(array) for array in arrays]

    def column(values: Sequence[float]) -> str:
        return struct.pack(f">{len(values)}d", *values).hex()

    written = Numbers(
        algorithm=ALGORITHM,
        norm=column([one.norm for one in found]),
        low=column([one.low for one in found]),
        high=column([one.high for one in found]),
        sketch=column([number for one in found for number in one.sketch]),
        non_finite=tuple(one.non_finite for one in found),
        **place,
    )
    return [weights, written] if numbers else [weights]


def shapes_of(arrays: Sequence[Array]) -> tuple[Shape, ...]:
    return tuple(
        Shape(group="trainable", label=f"w{at}", dtype=str(array.dtype), shape=array.shape)
        for at, array in enumerate(arrays)
    )


def made(*arrays: Array, loss: float | None = None, **options: Any) -> Trail:
    """Return the trail of a training of one epoch that ended with these weights."""
    zeros = [np.zeros_like(array) for array in arrays]
    told = [*records(zeros, "initial", 0), *records(arrays, loss=loss, **options)]
    return trail(told, shapes=shapes_of(arrays))


def between(one: Trail, two: Trail, limit: Limit | None = None) -> Distance:
    found = distance(one, two, limit)
    assert found is not None
    return found


def true_distance(one: Array, two: Array) -> float:
    return float(np.linalg.norm(one.astype("f8").ravel() - two.astype("f8").ravel()))


@pytest.mark.parametrize("scale", [1e-7, 1e-4, 1e-2, 1.0])
@pytest.mark.parametrize("size", [1, 30, 5000, 100_000])
def test_the_estimate_is_near_the_true_distance_whatever_its_size(size: int, scale: float) -> None:
    random: Any = np.random.default_rng(size)
    one: Array = random.normal(size=size)
    two: Array = one + scale * random.normal(size=size)

    (leaf,) = between(made(one), made(two)).leaves

    true = true_distance(one, two)
    assert true / MARGIN < float(leaf.apart) < 2.5 * true
    assert leaf.part == pytest.approx(float(leaf.apart) / float(leaf.size))


def test_four_times_the_estimate_is_hardly_ever_exceeded() -> None:
    random: Any = np.random.default_rng(1)
    exceeded = 0
    for _ in range(400):
        one: Array = random.normal(size=600).astype("float32")
        two: Array = one + (1e-5 * random.normal(size=600)).astype("float32")
        (leaf,) = between(made(one), made(two)).leaves
        exceeded += true_distance(one, two) > MARGIN * float(leaf.apart)
    assert exceeded <= 400 * 0.02


def test_one_bit_of_one_weight_is_told_exactly() -> None:
    one: Array = np.random.default_rng(2).normal(size=5000).astype("float32")
    two: Array = one.copy()
    two[77] = np.nextafter(two[77], np.float32(9))

    (leaf,) = between(made(one), made(two)).leaves

    assert float(leaf.apart) == pytest.approx(true_distance(one, two), rel=1e-4)
    assert leaf.part < 1e-7


@given(st.integers(0, 10**6), st.integers(1, 40), st.floats(1e-6, 10))
def test_it_is_never_told_nearer_than_norm_and_extremes_show(
    seed: int, size: int, scale: float
) -> None:
    random: Any = np.random.default_rng(seed)
    one: Array = random.normal(size=size)
    two: Array = scale * random.normal(size=size)

    (leaf,) = between(made(one), made(two)).leaves

    least: float = max(
        float(abs((one**2).sum() ** 0.5 - (two**2).sum() ** 0.5)),
        float(abs(one.min() - two.min())),
        float(abs(one.max() - two.max())),
    )
    assert float(leaf.apart) >= least * (1 - 1e-9)


def test_what_it_cannot_see_two_differences_may_cancel_in_every_projection() -> None:
    random: Any = np.random.default_rng(3)
    one: Array = random.normal(size=400)
    unseen = 0
    for at in range(1, 300):
        two: Array = one.copy()
        two[0] += 1e-3
        two[at] += 1e-3
        (leaf,) = between(made(one), made(two)).leaves
        unseen += MARGIN * float(leaf.apart) < true_distance(one, two)
    assert 0 < unseen / 299 < 0.15  # one in sixteen, and the norm shows some of these


def test_equal_weights_are_no_distance_apart_and_the_farthest_is_named() -> None:
    equal: Array = np.ones(4, "float32")
    one: Array = np.full(9, 100, "float32")

    found = between(made(equal, one), made(equal, one + np.float32(1)))

    assert [float(leaf.apart) > 0 for leaf in found.leaves] == [False, True]
    assert found.farthest.label == "w1"
    assert (found.at, found.at_end) == ("the end of epoch 1", True)


@pytest.mark.parametrize("value", [math.nan, math.inf])
def test_a_number_that_is_not_finite_on_one_side_is_no_distance(value: float) -> None:
    one: Array = np.ones(4, "float32")
    two: Array = one.copy()
    two[1] = value

    assert between(made(one), made(two)).farthest.part == math.inf


def test_without_numbers_on_both_sides_nothing_is_told() -> None:
    one: Array = np.ones(4, "float32")
    bare = trail(records([one], numbers=False), shapes=shapes_of([one]))

    assert distance(bare, made(one + 1)) is None
    assert distance(made(one), bare) is None
    assert distance(made(one), made(np.ones(5, "float32"))) is None


def test_numbers_that_are_cut_short_are_not_believed() -> None:
    one: Array = np.ones(4, "float32")
    weights, written = records([one])
    assert isinstance(written, Numbers)
    cut = written.model_copy(update={"norm": written.norm[:8]})
    spoiled = trail([weights, cut], shapes=shapes_of([one]))

    assert distance(spoiled, trail(records([one + 1]), shapes=shapes_of([one]))) is None


def two_epochs(first: Array, second: Array) -> Trail:
    told = [*records([first], epoch=1), *records([second], epoch=2)]
    return trail(told, shapes=shapes_of([first]))


def test_it_is_told_within_the_limit_and_where_it_is_not_the_end() -> None:
    one: Array = np.ones(4)
    two: Array = np.ones(4) * 2
    whole, other = two_epochs(one, two), two_epochs(one, two * 3)

    assert between(whole, other).at == "the end of epoch 2"
    assert between(whole, other, Limit(epoch=1)).farthest.part == 0
    short = trail(records([one * 1.5]), shapes=shapes_of([one]))
    assert not between(whole, short).at_end


def judged(one: Trail, two: Trail, rtol: float, **metrics: float) -> Verdict:
    tolerance = Tolerance(rtol, metrics)
    return judge(full_manifest(), one, rerun_manifest(), two, tolerance=tolerance)


BASE: Array = np.random.default_rng(5).normal(size=3000)
NEAR: Array = BASE + 1e-6 * np.random.default_rng(6).normal(size=3000)


@pytest.mark.parametrize("loss", [None, 0.5])
@pytest.mark.parametrize(("rtol", "grade"), [(1e-4, "equivalent"), (1e-8, "diverged")])
def test_rtol_is_for_weights_that_nobody_kept(loss: float | None, rtol: float, grade: str) -> None:
    verdict = judged(made(BASE, loss=loss), made(NEAR, loss=loss), rtol)

    assert verdict.grade == grade
    assert verdict.tolerance is not None
    weights = [one for one in verdict.tolerance.measured if one.of == "weights"]
    assert [one.within for one in weights] == [grade == "equivalent"]
    assert float(weights[0].apart) >= true_distance(BASE, NEAR)
    assert verdict.tolerance.weights_at == "the end of epoch 1"


def test_other_bits_are_never_within_a_tolerance_that_the_numbers_cannot_show() -> None:
    one: Array = np.array([3.0, 1e-30, -1.0])  # neither the least nor the largest is changed
    two: Array = np.array([3.0, 2e-30, -1.0])

    assert judged(made(one, loss=0.5), made(two, loss=0.5), 1e-30).grade == "diverged"
    assert judged(made(one, loss=0.5), made(two, loss=0.5), 1e-12).grade == "equivalent"


def test_metrics_within_rtol_do_not_make_far_weights_equivalent() -> None:
    verdict = judged(made(BASE, loss=0.5), made(-BASE, loss=0.5), 1e-2)

    assert verdict.grade == "diverged"


def test_a_metric_alone_says_nothing_of_weights() -> None:
    tolerance = Tolerance(metrics={"loss": 0.1})
    sides = full_manifest(), made(BASE, loss=0.5), rerun_manifest(), made(-BASE, loss=0.55)

    assert judge(*sides, tolerance=tolerance).grade == "equivalent"


def test_weights_that_became_nan_are_within_no_tolerance() -> None:
    broken: Array = BASE.copy()
    broken[3] = math.nan

    assert judged(made(BASE, loss=0.5), made(broken, loss=0.5), 1e9).grade == "diverged"


def test_numbers_of_another_moment_than_the_end_are_not_applied() -> None:
    short = trail(records([NEAR]), shapes=shapes_of([NEAR]))

    verdict = judged(two_epochs(BASE, NEAR), short, 1.0)

    assert verdict.grade == "diverged"
    assert verdict.tolerance is not None
    assert "both have numbers of the weights only at" in verdict.tolerance.reason
