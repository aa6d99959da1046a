"""How two runs ended: alike, differently, or the rerun failed where the original did not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.support.records import end, full_manifest, moments, rerun_manifest, trail
from wandb_repro.manifest.manifest import Ending, Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Inventory, Trainable
from wandb_repro.verify.ending_diff import EndingComparison
from wandb_repro.verify.trail_diff import Comparison, compare

SAME = compare(trail(), trail())
BEHIND, AHEAD = replace(SAME, is_behind=True), replace(SAME, is_ahead=True)

FINISHED = Ending(status="finished")
FAILED = Ending(status="failed", detail="TypeError", place="train.py:9")
EXIT = Ending(status="failed", detail="SystemExit", place="train.py:20", exit_code=3)
STOPPED = Ending(status="interrupted", detail="KeyboardInterrupt", place="train.py:31")
LEFT_OPEN = Ending(status="interrupted")
OLD = Ending(status="failed", detail="TypeError")
KILLED = None


def ended(ending: Ending | None) -> Trail:
    if ending is None:
        return trail(ended=False)
    return trail([*moments(), end(ending.status)], ended=False)


def compared(
    original: Ending | None, rerun: Ending | None, found: Comparison = SAME
) -> EndingComparison:
    sides: list[Any] = []
    for ending, manifest in ((original, full_manifest()), (rerun, rerun_manifest())):
        recorded = manifest.model_copy(update={"ending": ending}) if ending else manifest
        sides.append((recorded, ended(ending)))
    comparison = EndingComparison(*sides)
    comparison.reached(found)
    return comparison


@pytest.mark.parametrize("ending", [FINISHED, FAILED, EXIT, STOPPED, LEFT_OPEN])
def test_two_runs_that_ended_in_the_same_way_at_the_same_line_ended_alike(ending: Ending) -> None:
    comparison = compared(ending, ending)
    assert comparison.alike is True
    assert comparison.reasons() == []
    assert comparison.difference() == ()
    assert not comparison.rerun_failed
    assert comparison.stopped_alike is bool(ending.detail)


def test_endings_are_named_by_what_was_raised_and_where() -> None:
    endings = [compared(ending, ending).record.original for ending in (FAILED, EXIT, STOPPED)]
    assert endings == [
        "TypeError at train.py:9",
        "exit code 3 at train.py:20",
        "KeyboardInterrupt at train.py:31",
    ]


OTHERS = {
    "another line": FAILED.model_copy(update={"place": "train.py:10"}),
    "another file": FAILED.model_copy(update={"place": "models.py:9"}),
    "another type": FAILED.model_copy(update={"detail": "KeyError"}),
    "an exit": EXIT,
    "no failure": FINISHED,
}


@pytest.mark.parametrize("other", OTHERS.values(), ids=OTHERS)
def test_another_ending_than_the_failed_originals_is_a_difference(other: Ending) -> None:
    comparison = compared(FAILED, other)
    (difference,) = comparison.difference()
    assert comparison.alike is False
    assert difference.what == "ending"
    rerun = "finished" if other is FINISHED else f"with {other}"
    assert str(difference) == f"the original ended with TypeError at train.py:9, the rerun {rerun}"


def test_another_exit_code_is_a_difference() -> None:
    comparison = compared(EXIT, EXIT.model_copy(update={"exit_code": 4}))
    assert comparison.difference()[0].rerun == "exit code 4 at train.py:20"


@pytest.mark.parametrize("original", [FINISHED, STOPPED, KILLED])
def test_a_rerun_that_failed_and_its_original_did_not(original: Ending | None) -> None:
    comparison = compared(original, FAILED, BEHIND)
    assert comparison.rerun_failed
    assert comparison.difference() == ()
    (reason,) = comparison.reasons()
    assert reason.startswith("the rerun failed with TypeError at train.py:9; the original ")


@pytest.mark.parametrize("rerun", [FAILED, EXIT])
def test_a_rerun_that_failed_before_its_original_did(rerun: Ending) -> None:
    comparison = compared(FAILED, rerun, BEHIND)
    assert comparison.rerun_failed
    assert comparison.record.alike is False
    (reason,) = comparison.reasons()
    assert reason.endswith("the original came further and ended with TypeError at train.py:9")


@pytest.mark.parametrize(("steps", "is_failed"), [(7, True), (9, False)])
def test_the_same_failure_after_another_number_of_steps_is_another(
    steps: int, *, is_failed: bool
) -> None:
    def side(manifest: Manifest, number: int) -> tuple[Manifest, Trail]:
        thing = Trainable(
            number=1, kind="optimizer", name="adam", variables=1, steps=number, missing=""
        )
        records = [*moments(), Inventory(things=(thing,), notes=()), end("failed")]
        return manifest.model_copy(update={"ending": FAILED}), trail(records, ended=False)

    comparison = EndingComparison(side(full_manifest(), 8), side(rerun_manifest(), steps))

    assert comparison.alike
    assert not comparison.reached(SAME)
    assert comparison.rerun_failed is is_failed
    assert bool(comparison.difference()) is not is_failed


def test_a_rerun_that_failed_later_at_the_same_line_differs() -> None:
    comparison = compared(FAILED, FAILED, AHEAD)
    assert not comparison.rerun_failed
    (difference,) = comparison.difference()
    assert difference.rerun == "TypeError at train.py:9 later"


@pytest.mark.parametrize(("original", "who"), [(STOPPED, "interrupted"), (KILLED, "killed")])
def test_what_came_from_outside_is_a_doubt_and_no_difference(
    original: Ending | None, who: str
) -> None:
    comparison = compared(original, FINISHED, AHEAD)
    assert comparison.difference() == ()
    assert not comparison.rerun_failed
    (reason,) = comparison.reasons()
    assert who in reason
    assert reason.startswith("the original ")


@pytest.mark.parametrize(("one", "two"), [(OLD, OLD), (OLD, FAILED), (FAILED, OLD)])
def test_a_record_that_lacks_the_line_proves_nothing(one: Ending, two: Ending) -> None:
    comparison = compared(one, two)
    assert comparison.alike is None
    assert comparison.difference() == ()
    (reason,) = comparison.reasons()
    assert reason == (
        "both runs ended with TypeError, but a record of an older version does not say at which "
        "line"
    )


def test_the_trail_decides_if_the_manifest_was_not_written_to_the_end() -> None:
    sides = (full_manifest(), ended(FINISHED)), (rerun_manifest(), ended(FAILED))
    comparison = EndingComparison(*sides)
    assert comparison.record.rerun == "an error"
    assert comparison.rerun_failed
