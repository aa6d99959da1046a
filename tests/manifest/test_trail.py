"""What a trail answers: its steps filled up, its fits apart, its records by kind."""

from __future__ import annotations

from tests.support.records import (
    SHAPES,
    end,
    lines_of,
    moment,
    step,
    trail,
    trail_of_steps,
)
from wandb_repro.manifest.trail import Digested
from wandb_repro.manifest.trail_file import parse
from wandb_repro.manifest.trail_records import Granularity, Missing, Start, Structure


def test_a_step_is_filled_up_with_what_did_not_change() -> None:
    _, *steps, _ = trail_of_steps().weights

    assert [tuple(leaf[:2] for leaf in found.leaves) for found in steps] == [
        ("a1", "b1", "c1"),
        ("a2", "b1", "c2"),
        ("a2", "b1", "c2"),
    ]
    assert [found.moment for found in steps] == ["step"] * 3


def test_a_step_keeps_what_was_before_it_and_its_data() -> None:
    found = [it for it in trail_of_steps().weights if isinstance(it, Digested)]

    assert [(it.before, it.data) for it in found][1] == ("e" * 32, "d" * 32)
    assert [(it.before, it.data) for it in found][2] == (None, None)


def test_two_fits_that_train_in_turns_have_leaves_of_their_own() -> None:
    records = [
        step(1),
        Structure(fit=2, leaves=SHAPES[:2]),
        step(1, "0-1", ("d1", "e1"), fit=2),
        step(2, "1", ("b2",)),
        step(2, "0", ("d2",), fit=2),
    ]

    found = parse(lines_of(trail(records).records))

    assert [tuple(leaf[:2] for leaf in it.leaves) for it in found.weights] == [
        ("a1", "b1", "c1"),
        ("d1", "e1"),
        ("a1", "b2", "c1"),
        ("d2", "e1"),
    ]
    assert [len(shapes) for _, shapes in found.with_shapes()] == [3, 2, 3, 2]


def test_a_trail_can_be_gone_through_again_and_again() -> None:
    found = trail_of_steps()

    assert list(found.moments()) == list(found.moments())
    assert [it.every for it in found.of(Granularity)] == [1]


def test_the_last_structure_before_them_is_what_weights_are_about() -> None:
    small = Structure(fit=2, leaves=SHAPES[:1])
    written = trail([moment(), small, moment(fit=2, leaves=("a",))])

    assert [len(shapes) for _, shapes in written.with_shapes()] == [3, 1]


def test_what_a_trail_holds_can_be_asked() -> None:
    missing = Missing(fit=1, moment="epoch", epoch=1, step=10, reason="disk full")
    written = trail([missing, moment(epoch=2)])

    assert written.missing == (missing,)
    assert [weights.epoch for weights in written.weights] == [2]
    assert isinstance(written.start, Start)
    assert written.end == end()
