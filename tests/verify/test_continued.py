from __future__ import annotations

import pytest

from tests.support.records import full_manifest, moments, rerun_manifest, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Resumed, Weights
from wandb_repro.verify.continued import common_part, continuations
from wandb_repro.verify.verdict import Verdict, judge


def resumed(epoch: int, *inexact: str, fit: int = 1) -> Resumed:
    return Resumed(
        fit=fit, epoch=epoch, step=2 * epoch, path="/c", digest="a" * 64, inexact=inexact
    )


def going_on(epoch: int, *inexact: str) -> Trail:
    """Return the trail of a run that has only what it trained after this epoch."""
    later = [
        record
        for record in trail(moments()).records
        if not isinstance(record, Weights) or record.moment == "final" or record.epoch > epoch
    ]
    return Trail((later[0], resumed(epoch, *inexact), *later[1:]), torn=False)


def judged(original: Trail, rerun: Trail) -> Verdict:
    return judge(full_manifest(), original, rerun_manifest(), rerun)


@pytest.mark.parametrize("first", [True, False], ids=["the rerun", "the original"])
def test_a_run_that_went_on_is_compared_from_there(first: bool) -> None:
    whole, later = trail(moments()), going_on(2)

    verdict = judged(whole, later) if first else judged(later, whole)

    who = "rerun" if first else "original"
    assert verdict.grade == "identical"
    assert verdict.scope == f"the end, from epoch 3: the {who} continued there"


def test_what_differs_behind_the_checkpoint_has_it_as_its_first_cause() -> None:
    later = going_on(2, "LrPerBatch.counter changes (train.py:9); keep it in get_config")
    records = [
        record.model_copy(update={"root": "9" * 64, "leaves": ("9" * 16,) * len(record.leaves)})
        if isinstance(record, Weights)
        else record
        for record in later.records
    ]

    verdict = judged(trail(moments()), Trail(tuple(records), torn=False))

    assert verdict.grade == "diverged"
    assert verdict.causes[0].sentence == (
        "The rerun continued from epoch 2, not exactly: LrPerBatch.counter changes (train.py:9)"
    )
    assert verdict.causes[0].cure == "keep it in get_config"


def test_two_runs_that_went_on_at_one_place_have_all_in_common() -> None:
    assert common_part(going_on(2), going_on(2)) is None
    assert common_part(trail(), trail()) is None
    part = common_part(going_on(1), going_on(2))
    assert part is not None
    assert (part.after, part.continued) == (2, "rerun")


def test_a_continuation_is_a_difference_of_two_runs() -> None:
    (found,) = continuations(trail(), going_on(2))

    assert (found.original, found.here, found.effect) == (
        "without a stop",
        "from epoch 2",
        "explains",
    )
    assert list(continuations(trail(), trail())) == []
