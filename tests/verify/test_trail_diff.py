"""Two trails compared: the first difference, by moment and variable."""

from __future__ import annotations

import math

import pytest

from tests.support.records import SHAPES, moment, moments, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import WHOLE_RUN, Shape, State, Structure, Weights
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.trail_diff import Comparison, Reference, compare
from wandb_repro.verify.weights_diff import moment_name


def with_leaf(trained: list[Weights], place: int, leaf: int) -> list[Weights]:
    """Return moments of which one has another digest at one variable."""
    found = list(trained)
    leaves = list(found[place].leaves)
    leaves[leaf] = "f" * 32
    found[place] = moment(
        found[place].moment,
        fit=found[place].fit,
        epoch=found[place].epoch,
        step=found[place].step,
        leaves=tuple(leaves),
    )
    return found


def first_of(comparison: Comparison) -> tuple[str, str, str, list[str]]:
    first = comparison.first
    assert first is not None
    return first.what, first.stage, first.last_equal, [leaf.label for leaf in first.leaves]


def test_two_equal_trails_have_no_difference() -> None:
    found = compare(trail(), trail())

    assert (found.first, found.absent) == (None, ())
    assert (found.moments, found.digests, found.trained_moments) == (6, 18, 5)
    assert found.last_equal == "the final weights"
    assert found.last_root == trail().weights[-1].root


PLACES = {
    0: ("the initial weights", "initial", ""),
    1: ("step 1 (epoch 1)", "first steps", "the initial weights"),
    2: ("the end of epoch 1", "later", "step 1 (epoch 1)"),
    4: ("the end of epoch 3", "later", "the end of epoch 2"),
    5: ("the final weights", "later", "the end of epoch 3"),
}


@pytest.mark.parametrize(("place", "expected"), PLACES.items())
def test_the_first_difference_is_named_by_moment_and_variable(
    place: int, expected: tuple[str, str, str]
) -> None:
    found = compare(trail(), trail(with_leaf(moments(), place, 1)))

    assert first_of(found) == (*expected, ["dense/bias"])


def test_only_the_first_of_many_differences_is_told() -> None:
    other = with_leaf(with_leaf(moments(), 4, 0), 2, 2)

    assert first_of(compare(trail(), trail(other)))[0] == "the end of epoch 1"


def test_every_variable_that_differs_is_named_in_the_order_of_the_model() -> None:
    other = with_leaf(with_leaf(moments(), 2, 2), 2, 0)

    first = compare(trail(), trail(other)).first

    assert first is not None
    assert [(leaf.place, leaf.group, leaf.label, leaf.shape) for leaf in first.leaves] == [
        (0, "trainable", "dense/kernel", (64, 10)),
        (2, "optimizer", "adam/iteration", ()),
    ]
    assert first.of_leaves == 3


def test_without_steps_a_difference_in_the_first_epoch_is_early() -> None:
    epochs = [found for found in moments() if found.moment != "step"]

    found = compare(trail(epochs), trail(with_leaf(epochs, 1, 0)))

    assert first_of(found)[:3] == ("the end of epoch 1", "first steps", "the initial weights")


def test_the_names_of_variables_do_not_count() -> None:
    renamed = tuple(
        shape.model_copy(update={"label": shape.label.replace("dense", "dense_7")})
        for shape in SHAPES
    )

    assert compare(trail(), trail(shapes=renamed)).first is None


OTHER_MODELS = {
    "another shape": (
        (SHAPES[0].model_copy(update={"shape": (64, 11)}), *SHAPES[1:]),
        "dense/kernel is trainable float32[64, 10] in the original "
        "and trainable float32[64, 11] in the rerun",
    ),
    "another dtype": (
        (SHAPES[0].model_copy(update={"dtype": "bfloat16"}), *SHAPES[1:]),
        "dense/kernel is trainable float32[64, 10] in the original "
        "and trainable bfloat16[64, 10] in the rerun",
    ),
    "another group": (
        (SHAPES[0], SHAPES[1].model_copy(update={"group": "non_trainable"}), SHAPES[2]),
        "dense/bias is trainable float32[10] in the original "
        "and non_trainable float32[10] in the rerun",
    ),
}


@pytest.mark.parametrize(("shapes", "why"), OTHER_MODELS.values(), ids=OTHER_MODELS)
def test_models_that_are_not_alike_are_told_by_their_first_difference(
    shapes: tuple[Shape, ...], why: str
) -> None:
    first = compare(trail(), trail(shapes=shapes)).first

    assert first is not None
    assert (first.what, first.structure, first.leaves) == ("the initial weights", why, ())


def test_models_of_another_size_are_told_by_it() -> None:
    small = [moment("initial", epoch=0, step=0, leaves=("a0", "b0"))]

    first = compare(trail(), trail(small, shapes=SHAPES[:2])).first

    assert first is not None
    assert first.structure == "the original has 3 variables and the rerun 2"


def test_a_root_that_does_not_fit_its_leaves_is_a_difference() -> None:
    forged = [moments()[0].model_copy(update={"root": "0" * 32})]

    first = compare(trail(moments()[:1]), trail(forged)).first

    assert first is not None
    assert first.structure.endswith("a trail was modified")


def test_equal_roots_do_not_hide_leaves_that_differ() -> None:
    honest = moment(leaves=("a0", "b0", "c0"))
    forged = moment(leaves=("a0", "b1", "c0")).model_copy(update={"root": honest.root})

    assert first_of(compare(trail([honest]), trail([forged])))[3] == ["dense/bias"]


def test_moments_that_one_side_lacks_are_named() -> None:
    found = compare(trail(), trail(moments()[:3], ended=False))

    assert found.first is None
    assert found.absent == ("the end of epoch 2", "the end of epoch 3", "the final weights")


def test_moments_that_only_the_rerun_has_are_passed_over() -> None:
    more = moments()
    more.insert(2, moment("step", epoch=0, step=5))

    found = compare(trail(), trail(more))

    assert (found.first, found.absent, found.moments) == (None, (), 6)


def test_a_moment_recorded_twice_is_compared_twice() -> None:
    twice = [moment(leaves=("a", "b", "c")), moment(leaves=("d", "e", "f"))]
    other = [moment(leaves=("0", "b", "c")), moment(leaves=("d", "e", "f"))]

    found = compare(trail(twice), trail(other))

    assert found.moments == 2
    assert first_of(found)[3] == ["dense/kernel"]


def test_a_moment_recorded_twice_is_missed_when_it_comes_once() -> None:
    twice = [moment(), moment()]

    assert compare(trail(twice), trail([moment()])).absent == ("the end of epoch 1",)


def test_fits_are_compared_each_with_its_own() -> None:
    both = [*moments(2), *moments(2, fit=2)]
    other = with_leaf(both, 8, 0)

    found = compare(trail(both), trail(other))

    assert first_of(found)[:3] == (
        "the end of epoch 2 of fit 2",
        "later",
        "the end of epoch 1 of fit 2",
    )


@pytest.mark.parametrize("other", [trail([]), Trail((), torn=False)])
def test_nothing_is_compared_with_nothing(other: Trail) -> None:
    for one, two in ((trail(), other), (other, trail()), (other, other)):
        found = compare(one, two)
        assert (found.moments, found.digests, found.first, found.last_root) == (0, 0, None, "")


def test_digests_of_another_algorithm_are_not_compared() -> None:
    found = compare(trail(), trail(algorithm="wrepro-root-xxh3-128-2"))

    assert (found.digests, found.first) == (0, None)


LIMITS = {
    "to the end": (Limit(), 6, 0),
    "one epoch": (Limit(epoch=1), 3, 0),
    "two epochs": (Limit(epoch=2), 4, 0),
    "more epochs than there are": (Limit(epoch=9), 6, 0),
    "one step": (Limit(step=1), 2, 0),
    "a step between two moments": (Limit(step=15), 4, 0),
    "whichever comes first": (Limit(epoch=2, step=1), 2, 0),
}


@pytest.mark.parametrize(("limit", "compared", "absent"), LIMITS.values(), ids=LIMITS)
def test_a_limit_ends_at_the_first_moment_that_reaches_it(
    limit: Limit, compared: int, absent: int
) -> None:
    found = compare(trail(), trail(), limit)

    assert (found.moments, len(found.absent)) == (compared, absent)


def test_what_lies_behind_the_limit_is_not_looked_at() -> None:
    other = with_leaf(moments(), 3, 0)

    assert compare(trail(), trail(other), Limit(epoch=1)).first is None


def test_what_lies_behind_the_limit_is_not_missed() -> None:
    assert compare(trail(), trail(moments()[:3], ended=False), Limit(epoch=1)).absent == ()


def test_steps_of_the_epoch_behind_the_limit_are_not_missed() -> None:
    steps = moments()
    steps.insert(3, moment("step", epoch=1, step=15))

    assert compare(trail(steps), trail(steps[:3], ended=False), Limit(epoch=1)).absent == ()


def test_a_limit_ends_in_the_first_fit_that_reaches_it() -> None:
    both = [*moments(3), *moments(3, fit=2)]

    assert compare(trail(both), trail(both[:4], ended=False), Limit(epoch=2)).absent == ()


def metrics(*losses: float) -> Trail:
    return trail(
        [
            moment(epoch=number, step=10 * number, metrics={"loss": loss})
            for number, loss in enumerate(losses, start=1)
        ]
    )


METRICS = {
    "equal in every bit": ((0.1, 0.2), (0.1, 0.2), 2, 2),
    "equal in print": ((0.1, 0.2), (0.1, 0.2 + 1e-9), 1, 2),
    "different": ((0.1, 0.2), (0.1, 0.3), 1, 1),
    "small ones print with an exponent": ((1.234e-5,), (1.235e-5,), 0, 0),
    "not a number, both": ((math.nan,), (math.nan,), 1, 1),
    "not a number, one": ((math.nan,), (0.1,), 0, 0),
    "endless, both": ((math.inf,), (math.inf,), 1, 1),
    "the sign of zero": ((0.0,), (-0.0,), 0, 0),
}


@pytest.mark.parametrize(("one", "two", "bits", "print_"), METRICS.values(), ids=METRICS)
def test_metrics_are_compared_by_their_bits_and_as_printed(
    one: tuple[float, ...], two: tuple[float, ...], bits: int, print_: int
) -> None:
    found = compare(metrics(*one), metrics(*two))

    assert found.metric_epochs == len(one)
    assert (found.metrics_equal_bits, found.metrics_equal_printed) == (bits, print_)


def test_another_name_of_a_metric_is_another_metric() -> None:
    one = trail([moment(metrics={"loss": 0.1})])
    two = trail([moment(metrics={"val_loss": 0.1})])

    assert compare(one, two).metrics_equal_printed == 0


def test_metrics_are_compared_behind_the_first_difference_too() -> None:
    other = moments()
    other[2] = moment(leaves=("9", "9", "9"), metrics={"loss": 1.0, "accuracy": 0.5})

    found = compare(trail(), trail(other))

    assert (found.metric_epochs, found.metrics_equal_bits) == (3, 3)


def test_a_rerun_that_trains_is_told_at_once() -> None:
    reference = Reference(trail())

    told = [reference.check(found, SHAPES) for found in with_leaf(moments(), 2, 0)]

    assert [one.what if one else None for one in told] == [
        None,
        None,
        "the end of epoch 1",
        None,
        None,
        None,
    ]


def test_the_original_is_exhausted_where_it_was_killed() -> None:
    reference = Reference(trail(moments()[:4], ended=False))

    told: list[bool] = []
    for found in moments():
        reference.check(found, SHAPES)
        told.append(reference.exhausted_by(found))

    assert told == [False, False, False, True, False, False]


def test_an_original_with_an_end_is_never_exhausted() -> None:
    reference = Reference(trail())

    for found in moments():
        reference.check(found, SHAPES)
        assert not reference.exhausted_by(found)


def test_a_later_structure_is_what_later_weights_are_compared_by() -> None:
    grown = Structure(fit=2, leaves=SHAPES[:2])
    records = [moment(), grown, moment(fit=2, leaves=("a", "b"))]

    found = compare(trail(records), trail(records))

    assert (found.first, found.digests) == (None, 5)


NAMES = {
    "the initial weights": moment("initial", epoch=0, step=0),
    "the initial weights of fit 2": moment("initial", fit=2, epoch=0, step=0),
    "step 21 (epoch 3)": moment("step", epoch=2, step=21),
    "the end of epoch 3": moment("epoch", epoch=3, step=30),
    "the final weights": moment("final", epoch=3, step=30),
}


@pytest.mark.parametrize(("name", "weights"), NAMES.items())
def test_a_moment_has_a_name_in_words(name: str, weights: Weights) -> None:
    assert moment_name(weights) == name


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        (Limit(), ""),
        (Limit(epoch=3), "epoch 3"),
        (Limit(step=5), "step 5"),
        (Limit(3, 5), "epoch 3 and step 5"),
    ],
)
def test_a_limit_is_told_in_words(limit: Limit, words: str) -> None:
    assert str(limit) == words


def run_states(*values: str, between: bool = True) -> Trail:
    """Return a trail with one loose variable: before training, after a fit, and at the end."""
    fits = [
        State(moment="fit", row=0, fits=at, root=values[at], leaves=(values[at],)) for at in (0, 1)
    ]
    last = State(moment="end", row=0, root=values[2], leaves=(values[2],))
    shape = Shape(group="trainable", label="variable 1: w", dtype="float32", shape=(2,))
    return trail([Structure(fit=WHOLE_RUN, leaves=(shape,)), *fits * between, last])


@pytest.mark.parametrize(
    ("values", "what", "stage"),
    [
        (("9", "9", "9"), "the beginning of training", "initial"),
        (("1", "9", "9"), "the end of fit 1", "first steps"),
        (("1", "2", "9"), "the end of the run", "later"),
    ],
)
def test_what_no_fit_trains_is_compared_between_fits(
    values: tuple[str, ...], what: str, stage: str
) -> None:
    found = compare(run_states("1", "2", "3"), run_states(*values)).first

    assert found is not None
    assert (found.what, found.stage) == (what, stage)


def test_states_between_fits_are_not_missed() -> None:
    # Of fits in threads, which one ends alone is decided by the machine.
    found = compare(run_states("1", "2", "3"), run_states("1", "2", "3", between=False))

    assert (found.first, found.absent, found.run_states) == (None, (), 1)


def test_a_step_too_large_for_a_float_is_compared() -> None:
    far = trail([moment("epoch", epoch=1, step=10**400, metrics={"loss": 1.0})])

    assert compare(far, far).first is None
