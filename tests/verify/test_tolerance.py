"""Equivalent: only within a tolerance that somebody stated, and only where it can be judged."""

from __future__ import annotations

import math

import pytest

from tests.support.records import (
    SHAPES,
    changed,
    end,
    full_manifest,
    moment,
    rerun_manifest,
    trail,
)
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Missing, Structure, Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.tolerance import Tolerance
from wandb_repro.verify.verdict import Verdict, judge

START = moment("initial", epoch=0, step=0)
LAST = {"loss": 0.5, "val_accuracy": 0.8653}


def epoch(leaf: str, metrics: dict[str, float], number: int = 1) -> Weights:
    return moment("epoch", epoch=number, leaves=(leaf, "b0", "c0"), metrics=metrics)


def judged(
    tolerance: Tolerance,
    metrics: dict[str, float],
    *,
    original: Trail | None = None,
    rerun: Trail | None = None,
    limit: Limit | None = None,
) -> Verdict:
    one = original or trail([START, epoch("a1", LAST)])
    two = rerun or trail([START, epoch("a2", metrics)])
    return judge(full_manifest(), one, rerun_manifest(), two, limit, tolerance=tolerance)


NEAR = {"loss": 0.500001, "val_accuracy": 0.8645}


def test_without_a_stated_tolerance_it_is_bits_or_nothing() -> None:
    verdict = judged(Tolerance(), {"loss": math.nextafter(0.5, 1), "val_accuracy": 0.8653})

    assert (verdict.grade, verdict.exit_code, verdict.tolerance) == ("diverged", 1, None)


def test_within_the_stated_tolerance_it_is_equivalent_and_still_says_where_it_differs() -> None:
    verdict = judged(Tolerance(metrics={"val_accuracy": 0.002}), NEAR)

    assert (verdict.grade, verdict.exit_code, verdict.reasons) == ("equivalent", 0, ())
    assert verdict.first is not None
    assert verdict.tolerance is not None
    assert verdict.tolerance.at == "the end of epoch 1"
    (measured,) = verdict.tolerance.measured
    assert (measured.what, measured.original, measured.rerun) == (
        "val_accuracy",
        "0.8653",
        "0.8645",
    )
    assert (measured.allowed, measured.within) == ("0.002", True)


BEYOND: dict[str, tuple[Tolerance, dict[str, float]]] = {
    "a metric": (Tolerance(metrics={"val_accuracy": 0.0007}), NEAR),
    "one of two metrics": (Tolerance(metrics={"val_accuracy": 1, "loss": 0}), NEAR),
    "a part of the size": (Tolerance(rtol=1e-6), NEAR),
    "a NaN": (Tolerance(rtol=10, metrics={"loss": 10}), {"loss": math.nan, "val_accuracy": 1.0}),
    "an infinity": (
        Tolerance(rtol=10, metrics={"loss": 9}),
        {"loss": math.inf, "val_accuracy": 1.0},
    ),
}


@pytest.mark.parametrize(("tolerance", "metrics"), BEYOND.values(), ids=BEYOND)
def test_beyond_the_stated_tolerance_it_has_diverged(
    tolerance: Tolerance, metrics: dict[str, float]
) -> None:
    verdict = judged(tolerance, metrics)

    assert (verdict.grade, verdict.exit_code) == ("diverged", 1)
    assert verdict.tolerance is not None
    assert not all(one.within for one in verdict.tolerance.measured)


def test_two_nans_are_not_within_any_tolerance() -> None:
    nan = {"loss": math.nan}
    verdict = judged(Tolerance(metrics={"loss": 1}), nan, original=trail([START, epoch("a1", nan)]))

    assert verdict.grade == "diverged"


def test_equal_infinities_are_no_distance_apart() -> None:
    high = {"loss": math.inf}
    verdict = judged(
        Tolerance(metrics={"loss": 0}), high, original=trail([START, epoch("a1", high)])
    )

    assert verdict.grade == "equivalent"


def test_a_measure_for_one_metric_goes_before_the_general_one() -> None:
    verdict = judged(Tolerance(rtol=0.1, metrics={"val_accuracy": 1e-9}), NEAR)

    assert verdict.tolerance is not None
    assert {one.what: one.within for one in verdict.tolerance.measured} == {
        "loss": True,
        "val_accuracy": False,
    }


def test_identical_stays_identical_whatever_is_stated() -> None:
    verdict = judged(Tolerance(rtol=1), LAST, rerun=trail([START, epoch("a1", LAST)]))

    assert (verdict.grade, verdict.tolerance) == ("identical", None)


WIDE = Tolerance(rtol=1, metrics={"loss": 9})
NOT_APPLIED: dict[str, tuple[Trail, Trail, str]] = {
    "no metrics": (
        trail([START, epoch("a1", {})]),
        trail([START, epoch("a2", {})]),
        "the original has no metrics",
    ),
    "a rerun that stopped": (
        trail([START, epoch("a1", LAST), epoch("a2", LAST, 2)]),
        trail([START, epoch("a3", LAST)]),
        "the rerun has no metrics of the end of epoch 2",
    ),
    "another metric": (
        trail([START, epoch("a1", {"accuracy": 1.0})]),
        trail([START, epoch("a2", {"accuracy": 1.0})]),
        "metric loss is not in both runs; the original has accuracy",
    ),
}


@pytest.mark.parametrize(("one", "two", "why"), NOT_APPLIED.values(), ids=NOT_APPLIED)
def test_what_cannot_be_judged_is_never_within(one: Trail, two: Trail, why: str) -> None:
    verdict = judged(WIDE, {}, original=one, rerun=two)

    assert verdict.grade == "diverged"
    assert verdict.tolerance is not None
    assert verdict.tolerance.reason == why


DOUBTFUL: dict[str, Trail] = {
    "no end": trail([START, epoch("a2", LAST)], ended=False),
    "failed": trail([START, epoch("a2", LAST), end("failed")], ended=False),
    "a digest that is missing": trail(
        [
            START,
            epoch("a2", LAST),
            Missing(fit=1, moment="final", epoch=1, step=10, reason="read failed"),
        ]
    ),
    "more fits": trail([START, epoch("a2", LAST), end(fits=2)], ended=False),
}


@pytest.mark.parametrize("other", DOUBTFUL.values(), ids=DOUBTFUL)
def test_a_doubtful_rerun_is_not_equivalent_and_says_why(other: Trail) -> None:
    verdict = judged(WIDE, {}, rerun=other)

    assert verdict.grade == "diverged"
    assert verdict.reasons


def test_a_prefix_may_be_equivalent_where_the_rest_was_not_compared() -> None:
    original = trail([START, epoch("a1", LAST), epoch("a2", {"loss": 0.1}, 2)])
    prefix = trail([START, epoch("a3", NEAR)], ended=False)

    verdict = judged(WIDE, {}, original=original, rerun=prefix, limit=Limit(epoch=1))

    assert (verdict.grade, verdict.scope) == ("equivalent", "epoch 1")


def test_another_model_is_not_equivalent_however_near_its_metrics() -> None:
    shapes = (SHAPES[0].model_copy(update={"dtype": "float16"}), *SHAPES[1:])
    other = trail([START, epoch("a1", LAST)], shapes=shapes)
    assert isinstance(other.records[1], Structure)

    assert judged(WIDE, {}, rerun=other).grade == "diverged"


def test_one_and_the_same_run_is_not_called_equivalent() -> None:
    same = changed(full_manifest(), {})
    two = trail([START, epoch("a2", NEAR)])

    verdict = judge(full_manifest(), trail([START, epoch("a1", LAST)]), same, two, tolerance=WIDE)

    assert verdict.grade == "diverged"
