"""The last logged values of two runs, measured against a stated tolerance."""

from __future__ import annotations

import struct

import pytest

from tests.support.records import full_manifest, moment, rerun_manifest, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Logged, Summary
from wandb_repro.verify.logged_tolerance import logged_differences
from wandb_repro.verify.tolerance import MeasuredDifference, Tolerance
from wandb_repro.verify.verdict import Verdict, judge

START = moment("initial", epoch=0, step=0)


def training(leaf: str, loss: float, **logged: float | str) -> Trail:
    """Return a trail of one epoch after which these values were logged."""
    numbers: dict[str, str] = {}
    values: dict[str, str] = {}
    for name, value in logged.items():
        if isinstance(value, str):
            values[name] = value
        else:
            numbers[name], values[name] = struct.pack(">d", value).hex(), float(value).hex()
    end = moment("epoch", epoch=1, leaves=(leaf, "b0", "c0"), metrics={"loss": loss})
    row = Logged(first=1, rows=1, numbers=numbers, texts={})
    return trail([START, end, row, Summary(values=values)])


def judged(one: Trail, two: Trail, tolerance: Tolerance) -> Verdict:
    return judge(full_manifest(), one, rerun_manifest(), two, tolerance=tolerance)


def measured(one: Trail, two: Trail, tolerance: Tolerance) -> dict[str, MeasuredDifference]:
    return {it.what: it for it in logged_differences(one, two, tolerance, ())}


@pytest.mark.parametrize(
    ("score", "grade"), [(0.9, "equivalent"), (0.9000001, "equivalent"), (0.4, "diverged")]
)
def test_near_weights_with_another_test_score_are_not_equivalent(score: float, grade: str) -> None:
    one = training("a1", 0.5, test_acc=0.9)
    two = training("a2", 0.5, test_acc=score)
    assert judged(one, two, Tolerance(rtol=1e-5)).grade == grade


@pytest.mark.parametrize(("score", "grade"), [(0.9000001, "equivalent"), (0.4, "diverged")])
def test_equal_weights_with_a_score_a_few_bits_apart_are_equivalent(
    score: float, grade: str
) -> None:
    one, two = training("a1", 0.5, test_acc=0.9), training("a1", 0.5, test_acc=score)
    assert judged(one, two, Tolerance()).grade == "diverged"
    assert judged(one, two, Tolerance(rtol=1e-5)).grade == grade


def test_a_logged_key_may_have_a_tolerance_of_its_own() -> None:
    one = training("a1", 0.5, test_acc=0.90, seconds=1.0)
    two = training("a2", 0.7, test_acc=0.89, seconds=2.0)
    tolerance = Tolerance(metrics={"test_acc": 0.02})
    assert list(measured(one, two, tolerance)) == ["test_acc"]
    assert judged(one, two, tolerance).grade == "equivalent"
    assert judged(one, two, Tolerance(metrics={"test_acc": 0.001})).grade == "diverged"


def test_a_key_that_only_one_run_logged_is_not_within_its_tolerance() -> None:
    one, two = training("a1", 0.5, test_acc=0.9), training("a2", 0.5)
    verdict = judged(one, two, Tolerance(metrics={"test_acc": 1.0}))
    assert verdict.grade == "diverged"
    assert verdict.tolerance is not None
    assert verdict.tolerance.reason.startswith("metric test_acc is not in both runs")
    assert not measured(one, two, Tolerance(rtol=1.0))["test_acc"].within


def test_text_must_be_equal_and_clocks_are_left_out() -> None:
    one = training("a1", 0.5, best="str:adam", same="0x text", seconds=1.0, bad=float("nan"))
    two = training("a2", 0.5, best="str:sgd", same="0x text", seconds=9.0, bad=float("nan"))
    found = measured(one, two, Tolerance(rtol=0.5))
    assert {name: it.within for name, it in found.items()} == {
        "bad": True,  # the same text, and so the same bits
        "best": False,
        "same": True,
    }
    assert (found["best"].original, found["best"].rerun) == ("adam", "sgd")


def test_a_number_and_none_are_not_within() -> None:
    one, two = training("a1", 0.5, acc=0.9), training("a2", 0.5, acc="none")
    assert not measured(one, two, Tolerance(rtol=1.0))["acc"].within


def test_a_key_that_no_summary_has_is_not_taken_for_near() -> None:
    def with_loss(loss: float) -> Trail:
        steps = {"hidden": struct.pack(">d", loss).hex()}
        row = Logged(first=1, rows=1, numbers=steps, texts={})
        end = moment("epoch", epoch=1, leaves=("a1", "b0", "c0"), metrics={"loss": 0.5})
        return trail([START, end, row, Summary(values={})])

    assert judged(with_loss(0.1), with_loss(9.0), Tolerance(rtol=1e-5)).grade == "diverged"
