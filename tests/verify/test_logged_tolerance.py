"""The last logged values of two runs, measured against a stated tolerance."""

from __future__ import annotations

import struct

import pytest

from tests.support.records import full_manifest, moment, rerun_manifest, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Logged, Shape, State, Structure, Summary
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


@pytest.mark.parametrize(("last", "grade"), [(0.1000001, "equivalent"), (9.0, "diverged")])
@pytest.mark.parametrize("leaf", ["a1", "a2"], ids=["equal weights", "near weights"])
def test_the_last_value_of_a_key_that_no_summary_has_is_in_its_rows(
    leaf: str, last: float, grade: str
) -> None:
    def with_hidden(leaf: str, *values: float) -> Trail:
        bits = {"hidden": struct.pack(f">{len(values)}d", *values).hex()}
        rows = Logged(first=1, rows=len(values), numbers=bits, texts={})
        end = moment("epoch", epoch=1, leaves=(leaf, "b0", "c0"), metrics={"loss": 0.5})
        return trail([START, end, rows, Summary(values={"other": "none"})])

    one, two = with_hidden("a1", 0.7, 0.1), with_hidden(leaf, 0.3, last)

    assert judged(one, two, Tolerance(rtol=1e-5)).grade == grade
    found = measured(one, two, Tolerance(rtol=1e-5))["hidden"]
    assert (found.original, found.rerun) == ("0.1", repr(last))


def test_a_state_of_the_run_that_differs_says_that_no_tolerance_applies() -> None:
    def with_state(leaf: str) -> Trail:
        end = moment("epoch", epoch=1, metrics={"loss": 0.5})
        return trail([START, end, *state_at_end(leaf)])

    verdict = judged(with_state("a1"), with_state("a2"), Tolerance(rtol=0.5))

    assert verdict.grade == "diverged"
    assert verdict.reasons == (
        "no tolerance applies to the end of the run: the state of the run has digests only",
    )
    assert judged(with_state("a1"), with_state("a2"), Tolerance()).reasons == ()


def state_at_end(leaf: str) -> tuple[Structure, State]:
    shape = Shape(group="trainable", label="model 1: kernel", dtype="float32", shape=(1,))
    return (
        Structure(fit=0, leaves=(shape,)),
        State(moment="end", row=0, root=leaf, leaves=(leaf,)),
    )
