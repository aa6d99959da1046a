"""The kinds of records in a trail: what each field takes, and which steps are due."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.support.records import moment
from wandb_repro.manifest.trail_records import Checkpoint, Granularity, Resumed, is_due


@given(st.floats())
def test_what_float_hex_writes_is_a_metric(value: float) -> None:
    assert moment(metrics={"loss": value}).metrics == {"loss": value.hex()}


@pytest.mark.parametrize(
    ("step", "every", "chosen", "steps_at_once", "due"),
    [
        (10, 10, (), 1, True),
        (11, 10, (), 1, False),
        (12, 10, (), 4, True),
        (14, 10, (), 4, False),
        (7, 0, (7,), 1, True),
        (8, 0, (7,), 1, False),
        (8, 0, (7,), 2, True),
        (5, 0, (), 5, False),
    ],
)
def test_a_step_is_due_if_it_or_a_step_of_its_group_is_asked_for(
    step: int, every: int, chosen: tuple[int, ...], steps_at_once: int, due: bool
) -> None:
    assert is_due(step, every, chosen, steps_at_once) is due


def test_a_fit_of_an_older_version_is_written_again_without_the_field_it_lacks() -> None:
    older = {
        "kind": "granularity",
        "fit": 1,
        "every": 1,
        "chosen": (),
        "steps_at_once": 1,
        "losses": "means",
        "before": "not checked",
        "data": "each batch",
    }

    record = Granularity.model_validate(older)

    assert str(record.first) == "trails before 1.2 have none"
    assert record.model_dump() == older


@pytest.mark.parametrize(("digest", "taken"), [("", True), ("ab" * 32, True), ("ab", False)])
def test_a_checkpoint_has_a_whole_digest_or_none(digest: str, taken: bool) -> None:
    fields = {"fit": 1, "epoch": 1, "step": 3, "path": "/c/1.ckpt", "digest": digest}

    if taken:
        assert Checkpoint.model_validate(fields).digest == digest
    else:
        with pytest.raises(ValidationError, match="digest"):
            Checkpoint.model_validate(fields)


def test_a_resumed_training_names_the_digest_of_its_checkpoint() -> None:
    with pytest.raises(ValidationError, match="digest"):
        Resumed(fit=1, epoch=1, step=3, path="/c/1.ckpt", digest="")
