"""What moved first at a difference, and what that says of its cause."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.records import (
    SHAPES,
    full_manifest,
    granularity,
    losses,
    moment,
    rerun_manifest,
    step,
    trail,
)
from wandb_repro.manifest.trail_records import WHOLE_RUN, Shape, State, Structure, TrailRecord
from wandb_repro.verify.verdict import Verdict, judge

START = moment("initial", epoch=0, step=0)


def steps(**second: Any) -> list[TrailRecord]:
    """Return a training of two steps; the second as told."""
    usual: dict[str, Any] = {"leaves": ("a2", "b2", "c2"), "data": "d2"}
    values = second.pop("losses", (1.0, 0.5))
    two = step(2, **{**usual, **second})
    return [START, granularity(), step(1, data="d1"), two, losses(*values)]


def judged(records: list[TrailRecord], changes: dict[str, Any] | None = None) -> Verdict:
    one, two = trail(steps()), trail(records)
    return judge(full_manifest(), one, rerun_manifest(changes), two)


OTHER = ("f2", "b2", "c2")


def test_what_changed_the_weights_between_steps_moved_the_state() -> None:
    verdict = judged(steps(leaves=OTHER, before="e1"))

    assert verdict.moved is not None
    assert (verdict.moved.what, verdict.causes[0].kind) == ("state", "code")
    assert "a callback" in verdict.causes[0].sentence


def test_another_batch_moved_the_data() -> None:
    verdict = judged(steps(leaves=OTHER, data="d9"))

    assert verdict.moved is not None
    assert (verdict.moved.what, verdict.causes[0].kind) == ("data", "data")
    assert "no fingerprint differs" in verdict.causes[0].sentence


def test_batches_that_are_counted_from_other_steps_on_moved_nothing() -> None:
    two = step(2, leaves=OTHER, data="d9")
    verdict = judged([START, granularity(), two, losses(1.0, 0.5)])

    assert verdict.moved is not None
    assert verdict.moved.what == "not known"


def test_a_loss_that_differs_on_the_same_data_moved_in_the_forward_pass() -> None:
    verdict = judged(
        steps(leaves=OTHER, losses=(1.0, 0.25)), {"description.runtime.intra_op_threads": 1}
    )

    assert verdict.moved is not None
    assert (verdict.moved.what, verdict.moved.loss_step) == ("loss", 2)
    assert verdict.causes[0].kind == "threads"


def test_weights_that_differ_behind_an_equal_loss_moved_last() -> None:
    verdict = judged(steps(leaves=OTHER), {"execution.config.lr": 0.2})

    assert verdict.moved is not None
    assert (verdict.moved.what, verdict.moved.loss_step) == ("weights", None)
    assert verdict.causes[0].fact == "config.lr"


def test_without_digests_of_batches_it_cannot_be_known_and_says_why() -> None:
    without = [START, granularity(), step(1), step(2, leaves=("a2", "b2", "c2"))]
    other = [*without[:3], step(2, leaves=OTHER)]

    verdict = judge(full_manifest(), trail(without), rerun_manifest(), trail(other))

    assert verdict.moved is not None
    assert verdict.moved.what == "not known"
    assert "batches were not recorded: the data is distributed" in verdict.moved.sentence


def test_a_loss_names_its_step_where_weights_were_digested_once_an_epoch() -> None:
    one: list[TrailRecord] = [START, losses(3.0, 2.0, 1.0), moment("epoch")]
    two: list[TrailRecord] = [START, losses(3.0, 2.5, 1.0), moment("epoch", leaves=OTHER)]

    verdict = judge(full_manifest(), trail(one), rerun_manifest(), trail(two))

    assert verdict.moved is not None
    assert verdict.moved.loss_step == 2
    assert verdict.moved.sentence.startswith("the loss differs from step 2 on")


SEEDED = (*SHAPES[:2], SHAPES[2].model_copy(update={"group": "seed", "label": "dropout/seed"}))


@pytest.mark.parametrize(
    ("shapes", "kind"), [(SEEDED, "seed"), (SHAPES, "config")], ids=["seed", "optimizer"]
)
def test_a_group_that_differs_alone_before_the_first_step_names_the_cause(
    shapes: Any, kind: str
) -> None:
    other = moment("initial", epoch=0, step=0, leaves=("a0", "b0", "c9"))
    one, two = trail([START], shapes=shapes), trail([other], shapes=shapes)

    verdict = judge(full_manifest(), one, rerun_manifest(), two)

    assert verdict.causes[0].kind == kind
    assert shapes[2].label in verdict.causes[0].sentence


def test_a_known_difference_of_the_data_goes_before_what_the_trail_shows() -> None:
    changes = {"description.data.0.digest": "wrepro-root-xxh3-128-1:00"}

    verdict = judged(steps(leaves=OTHER, data="d9"), changes)

    assert verdict.causes[0].fact == "data 'train'"


def test_kernels_do_not_explain_another_batch() -> None:
    changes = {
        "description.runtime.intra_op_threads": 1,
        "description.runtime.processor.instruction_sets": ["avx"],
        "execution.packages.distributions.0.version": "3.14.0",
    }

    verdict = judged(steps(leaves=OTHER, data="d9"), changes)

    assert verdict.causes[0].kind == "data"


@pytest.mark.parametrize(
    ("model", "what"), [(1, "state"), (2, "initial state")], ids=["same model", "another model"]
)
def test_what_changed_a_model_between_two_fits_is_no_initial_weight(model: int, what: str) -> None:
    def trained(leaf: str) -> list[TrailRecord]:
        plans = [granularity(fit=fit, every=0) for fit in (1, 2)]
        numbers = (1, model)
        first, second = (
            plan.model_copy(update={"model": number})
            for plan, number in zip(plans, numbers, strict=True)
        )
        end = moment("final", epoch=1, leaves=("a1", "b1", "c1"))
        again = moment("initial", fit=2, epoch=0, step=0, leaves=(leaf, "b1", "c1"))
        return [first, START, end, second, again]

    one, two = trail(trained("a1")), trail(trained("f1"))
    verdict = judge(full_manifest(), one, rerun_manifest(), two)

    assert verdict.first is not None
    assert verdict.first.what == "the initial weights of fit 2"
    assert verdict.moved is not None
    assert verdict.moved.what == what
    said = "something other than fit changed the model after fit 1"
    assert (verdict.moved.sentence == said) is (model == 1)


@pytest.mark.parametrize(("fits", "what"), [(0, "initial state"), (1, "not known")])
def test_what_differs_before_the_first_fit_was_put_there(fits: int, what: str) -> None:
    def records(leaf: str) -> list[TrailRecord]:
        shape = Shape(group="trainable", label="table 1", dtype="int64", shape=(2,))
        states = [
            State(moment="fit", row=0, fits=at, root=value, leaves=(value,))
            for at, value in enumerate([leaf if fits == 0 else "a1", leaf])
        ]
        return [Structure(fit=WHOLE_RUN, leaves=(shape,)), *states]

    verdict = judge(full_manifest(), trail(records("a1")), rerun_manifest(), trail(records("b1")))

    assert verdict.moved is not None
    assert verdict.moved.what == what
    assert ("before the first fit" in verdict.moved.sentence) is (fits == 0)
