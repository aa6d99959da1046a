"""How likely each kind of difference is, by the stage and by what changed first in a step."""

from __future__ import annotations

from typing import get_args

import pytest

from wandb_repro.verify.cause_weights import EFFECT_WEIGHTS, weights_at
from wandb_repro.verify.finding import Effect, Kind
from wandb_repro.verify.first_cause import CauseKind, FirstCause
from wandb_repro.verify.weights_diff import FirstDifference, Stage

STAGES: tuple[Stage, ...] = get_args(Stage)


def weights(stage: Stage, what: CauseKind | None = None) -> dict[Kind, int]:
    first = FirstDifference(
        fit=1,
        moment="step",
        epoch=0,
        step=1,
        what="step 1 (epoch 1)",
        stage=stage,
        leaves=(),
        of_leaves=3,
        last_equal="",
    )
    return weights_at(first, FirstCause(what=what, sentence="") if what else None)


def likeliest(found: dict[Kind, int]) -> Kind:
    return max(found, key=lambda kind: found[kind])


@pytest.mark.parametrize(
    ("stage", "kind"), [("initial", "seed"), ("first steps", "data"), ("later", "determinism")]
)
def test_the_likeliest_kind_follows_the_stage(stage: Stage, kind: Kind) -> None:
    assert likeliest(weights(stage)) == kind


def test_threads_data_and_processor_cannot_change_initial_weights() -> None:
    assert {"threads", "data", "processor", "accelerator"}.isdisjoint(weights("initial"))


@pytest.mark.parametrize("stage", STAGES)
def test_what_changed_first_in_a_step_says_more_than_the_stage(stage: Stage) -> None:
    assert weights(stage, "data") == weights("initial", "data")
    assert "threads" not in weights(stage, "data")
    assert likeliest(weights(stage, "state")) == "code"


def test_with_equal_batches_another_loss_or_weight_is_not_from_the_data() -> None:
    assert "data" not in weights("first steps", "loss")
    by_weights = weights("first steps", "weights")
    assert by_weights["data"] == min(by_weights.values())


@pytest.mark.parametrize("stage", STAGES)
def test_a_cause_that_the_trails_do_not_show_leaves_the_stage(stage: Stage) -> None:
    unseen: list[CauseKind] = [
        what for what in get_args(CauseKind) if what not in ("data", "state", "loss", "weights")
    ]

    assert unseen
    assert all(weights(stage, what) == weights(stage) for what in unseen)


def test_every_effect_has_a_weight_and_only_bits_count() -> None:
    assert set(EFFECT_WEIGHTS) == set(get_args(Effect))
    assert {effect for effect, weight in EFFECT_WEIGHTS.items() if weight} == {
        "changes bits",
        "may change bits",
    }
