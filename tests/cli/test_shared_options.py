"""Options that several commands share."""

from __future__ import annotations

import pytest

from wandb_repro.cli.shared_options import switches_of, tolerance_of
from wandb_repro.errors import UsageError
from wandb_repro.verify.tolerance import Tolerance


def test_a_tolerance_is_what_was_stated() -> None:
    assert tolerance_of(None, ()) == Tolerance()
    assert tolerance_of(1e-5, ("loss=0.1", "a=b=2")) == Tolerance(1e-5, {"loss": 0.1, "a=b": 2.0})


@pytest.mark.parametrize("metric", ["loss", "=1", "loss=", "loss=x", "loss=nan", "loss=-1"])
def test_a_metric_needs_a_name_and_a_number(metric: str) -> None:
    with pytest.raises(UsageError):
        tolerance_of(None, (metric,))


@pytest.mark.parametrize("rtol", [-1.0, float("inf"), float("nan")])
def test_a_relative_tolerance_is_a_finite_number_from_0(rtol: float) -> None:
    with pytest.raises(UsageError, match="--rtol takes a number, 0 or more"):
        tolerance_of(rtol, ())


def test_a_switch_may_have_an_equals_sign_in_its_value() -> None:
    assert switches_of(["XLA_FLAGS=--a=b", "KERAS_BACKEND="]) == {
        "XLA_FLAGS": "--a=b",
        "KERAS_BACKEND": "",
    }


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("KERAS_BACKEND", "takes NAME=VALUE"),
        ("LD_PRELOAD=x", "is not a recorded switch"),
        ("TF_NUM_INTRAOP_THREADS=1", "--threads N"),
        ("XLA_FLAGS=a\0b", "cannot hold a NUL"),
    ],
)
def test_other_settings_are_refused(text: str, why: str) -> None:
    with pytest.raises(UsageError, match=why):
        switches_of([text])
