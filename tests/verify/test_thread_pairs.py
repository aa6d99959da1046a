from __future__ import annotations

from tests.support.records import SHAPES, moment, moments, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import State, Structure
from wandb_repro.verify.fit_pairs import ModelFit
from wandb_repro.verify.thread_pairs import contents_of, paired_fits, paired_owners, pairs

FIRST, SECOND = "model 1 of thread train#1", "model 1 of thread train#2"


def fits(*leaves: tuple[str, ...]) -> Trail:
    """Return the trail of fits whose weights are these, at their beginning and their end."""
    found = [
        found
        for fit, each in enumerate(leaves, start=1)
        for found in (
            moment("initial", fit=fit, epoch=0, step=0, leaves=each),
            moment("final", fit=fit, epoch=1, step=1, leaves=each),
        )
    ]
    return trail(found)


def state(**leaves: tuple[str, ...]) -> Trail:
    """Return the trail of a run that ended with these owners, each with these leaves."""
    shapes = [
        SHAPES[at].model_copy(update={"label": f"{owner}: {at}"})
        for owner, digests in leaves.items()
        for at in range(len(digests))
    ]
    digests = tuple(digest for each in leaves.values() for digest in each)
    end = State(moment="end", row=0, root="ab", leaves=digests)
    return Trail((Structure(fit=0, leaves=tuple(shapes)), end), torn=False)


A, B, C = ("a1", "b1", "c1"), ("a2", "b2", "c2"), ("a3", "b3", "c3")
BY_THREAD: dict[int, ModelFit] = {1: ("train#1", 1, 1), 2: ("train#2", 1, 1)}


def test_fits_of_threads_are_paired_by_their_weights() -> None:
    original, rerun = contents_of(fits(A, B)), contents_of(fits(B, A))

    assert paired_fits((original, BY_THREAD), (rerun, BY_THREAD)) == {1: 2, 2: 1}


def test_a_fit_whose_weights_nothing_equals_is_paired_by_its_thread() -> None:
    swapped: dict[int, ModelFit] = {1: ("train#2", 1, 1), 2: ("train#1", 1, 1)}
    original, rerun = contents_of(fits(A, B)), contents_of(fits(B, C))

    assert paired_fits((original, BY_THREAD), (rerun, swapped)) == {1: 2, 2: 1}


def test_equal_fits_stay_with_their_threads() -> None:
    swapped: dict[int, ModelFit] = {1: ("train#2", 1, 1), 2: ("train#1", 1, 1)}
    original, rerun = contents_of(fits(A, A)), contents_of(fits(A, A))

    assert paired_fits((original, BY_THREAD), (rerun, swapped)) == {1: 2, 2: 1}


def test_fits_without_threads_are_paired_by_their_model_and_not_by_their_weights() -> None:
    models: dict[int, ModelFit] = {1: ("", 1, 1), 2: ("", 2, 1)}
    original, rerun = contents_of(fits(A, B)), contents_of(fits(B, A))

    assert paired_fits((original, models), (rerun, models)) == {1: 1, 2: 2}


def test_a_fit_without_digests_is_paired_by_its_thread() -> None:
    empty = contents_of(trail([]))

    assert paired_fits((empty, BY_THREAD), (empty, BY_THREAD)) == {1: 1, 2: 2}


def test_which_steps_were_digested_does_not_matter() -> None:
    found = contents_of(trail(moments(fit=1)))

    assert {weights.moment for weights in found.moments[1]} == {"initial", "epoch", "final"}


def test_what_threads_made_is_paired_by_its_state() -> None:
    original = contents_of(state(**{"model 1": A, FIRST: A, SECOND: B}))
    rerun = contents_of(state(**{"model 1": B, FIRST: B, SECOND: A}))

    assert paired_owners(original, rerun) == {"model 1": "model 1", FIRST: SECOND, SECOND: FIRST}


def test_what_a_pool_made_is_paired_by_its_variables_if_its_state_differs() -> None:
    one, two = "model 1 of other threads", "model 2 of other threads"
    original = contents_of(state(**{one: A, two: A[:2]}))
    rerun = contents_of(state(**{one: B[:2], two: B}))

    assert paired_owners(original, rerun) == {one: two, two: one}


def test_each_thing_has_one_partner() -> None:
    assert pairs({"a": (1,), "b": (1,)}, {"x": (1,), "y": (1,), "z": (1,)}) == {"x": "a", "y": "b"}
    assert pairs({"a": (None, 2)}, {"x": (None, 2)}) == {"x": "a"}
    assert pairs(dict[str, tuple[int]](), {}) == {}
