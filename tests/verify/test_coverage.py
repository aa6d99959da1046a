from __future__ import annotations

from tests.support.records import end, full_manifest, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Inventory, Logged, Resumed, Trainable
from wandb_repro.verify.coverage import coverage_of, coverage_of_record
from wandb_repro.verify.trail_diff import compare


def thing(kind: str, number: int = 1, *, steps: int | None = None, missing: str = "") -> Trainable:
    fields = {"number": number, "name": "it", "variables": 2, "missing": missing, "steps": steps}
    return Trainable.model_validate({"kind": kind, **fields})


def with_things(*things: Trainable) -> Trail:
    known = tuple(trail().records)
    return Trail((*known[:-1], Inventory(things=things, notes=()), end()), torn=False)


def test_what_both_digested_is_counted() -> None:
    original = with_things(
        thing("model"), thing("model", 2), thing("optimizer", steps=12), thing("variables", 5)
    )

    covers = coverage_of(original, original, compare(original, original))

    assert (covers.models, covers.optimizers, covers.steps, covers.other_state) == (2, 1, 12, 2)
    assert covers.not_compared == ()


def test_steps_are_those_of_the_loops_where_no_optimizer_counts_them() -> None:
    by_loops = with_things(thing("module"), thing("optimizer"))
    by_optimizer = with_things(thing("optimizer", steps=3))

    covers = coverage_of(by_loops, by_loops, compare(by_loops, by_loops))

    assert covers.loop_steps == max(weights.step for weights in by_loops.moments()) > 0
    assert coverage_of(by_optimizer, by_optimizer, compare(by_loops, by_loops)).loop_steps == 0


def test_a_record_says_what_an_equal_rerun_would_cover() -> None:
    rows = Logged(
        first=1, rows=2, texts={"acc": ("str:1", "str:2"), "_runtime": ("str:3", "str:4")}
    )
    known = tuple(trail().records)
    alone = Trail((*known[:-1], rows, end()), torn=False)

    covers = coverage_of_record(full_manifest(), alone)

    assert covers.rows == 2
    assert covers.keys == coverage_of_record(full_manifest(), trail()).keys + 1
    assert "_runtime" in covers.volatile
    assert "acc" not in covers.volatile


def test_what_was_not_digested_is_named_and_not_counted() -> None:
    original = with_things(thing("model"), thing("optimizer", steps=3, missing="it was deleted"))

    covers = coverage_of(original, original, compare(original, original))

    assert (covers.models, covers.optimizers) == (1, 0)
    assert covers.not_compared == ("optimizer it was not digested at the end: it was deleted",)


def test_a_trail_without_an_inventory_says_nothing_of_steps() -> None:
    assert coverage_of(trail(), trail(), compare(trail(), trail())).steps is None


def test_rows_of_a_run_that_resumed_are_not_compared() -> None:
    def logged(value: float) -> Logged:
        return Logged(first=1, rows=1, texts={"acc": (f"str:{value}",)})

    resumed = Resumed(fit=1, epoch=1, step=2, path="/c", digest="a" * 64)
    known = tuple(trail().records)
    whole = Trail((*known[:-1], logged(0.5), end()), torn=False)
    later = Trail((*known[:-1], logged(0.25), resumed, end()), torn=False)

    found = compare(whole, later)

    assert found.outputs == ()
    assert compare(whole, Trail((*known[:-1], logged(0.25), end()), torn=False)).outputs
    assert coverage_of(whole, later, found).not_compared == (
        "logged rows: a run that resumed has only those after its checkpoint",
    )
