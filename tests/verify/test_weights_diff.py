"""Weights of two trainings at one moment."""

from __future__ import annotations

from typing import Any

from tests.support.records import moment, trail
from wandb_repro.manifest.trail import of_run
from wandb_repro.manifest.trail_records import Shape, State
from wandb_repro.verify.weights_diff import moment_name, weights_difference

SHAPES = next(iter(trail().with_shapes()))[1]


def test_equal_weights_have_no_difference() -> None:
    one = moment(leaves=("1", "2", "3"))

    assert weights_difference(one, SHAPES, one, tuple(SHAPES)) is None


def test_each_variable_that_differs_is_named_in_the_models_order() -> None:
    found = weights_difference(
        moment(leaves=("1", "2", "3")), SHAPES, moment(leaves=("9", "2", "8")), SHAPES
    )

    assert found is not None
    assert [leaf.place for leaf in found.leaves] == [0, 2]
    assert found.leaves[0].label == SHAPES[0].label
    assert found.of_leaves == 3


def test_other_variables_are_not_paired() -> None:
    other = (*SHAPES[:-1], Shape(group="trainable", label="x", dtype="float32", shape=(2,)))
    one = moment(leaves=("1", "2", "3"))

    found = weights_difference(one, SHAPES, one, other)

    assert found is not None
    assert found.leaves == ()
    assert found.structure.endswith("trainable float32[2] in the rerun")


def test_another_number_of_variables_is_said() -> None:
    found = weights_difference(moment(), SHAPES, moment(leaves=("1", "2")), SHAPES[:2])

    assert found is not None
    assert found.structure == "the original has 3 variables and the rerun 2"


def test_a_root_that_does_not_fit_its_variables_is_a_modified_trail() -> None:
    one = moment(leaves=("1", "2", "3"))

    found = weights_difference(one, SHAPES, one.model_copy(update={"root": "ff"}), SHAPES)

    assert found is not None
    assert found.structure.endswith("a trail was modified")


def test_moments_have_names() -> None:
    assert moment_name(moment("initial", epoch=0, step=0)) == "the initial weights"
    assert moment_name(moment(epoch=3, step=30)) == "the end of epoch 3"
    assert moment_name(moment("step", epoch=0, step=12)) == "step 12 (epoch 1)"
    second = moment("final", epoch=3, step=30).model_copy(update={"fit": 2})
    assert moment_name(second) == "the final weights of fit 2"


def test_states_of_the_whole_run_have_names() -> None:
    def named(**place: Any) -> str:
        return moment_name(of_run(State(root="1", leaves=(), **place)))

    assert named(moment="fit", row=2) == "the beginning of training"
    assert named(moment="fit", row=2, fits=3) == "the end of fit 3"
    assert named(moment="logged", row=2) == "logged row 2"
    assert named(moment="end", row=2) == "the end of the run"
