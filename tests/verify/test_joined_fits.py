"""One fit of one run against several of the other."""

from __future__ import annotations

import pytest

from tests.support.records import full_manifest, granularity, losses, moment, rerun_manifest, trail
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import End, Losses, TrailRecord, Weights
from wandb_repro.verify.joined_fits import joined
from wandb_repro.verify.verdict import Verdict, judge

STEPS = 10
"""Steps of an epoch."""


def leaves(epoch: int) -> tuple[str, ...]:
    return tuple(f"{epoch}{leaf}" * 8 for leaf in range(3))


def plan(fit: int, model: int = 1) -> TrailRecord:
    return granularity().model_copy(update={"fit": fit, "model": model, "every": 0, "chosen": ()})


def epochs(
    fit: int, first: int, last: int, *, starts_at: int = 0, model: int = 1
) -> list[TrailRecord]:
    """Return a fit of the epochs ``first`` to ``last``, which it counts from ``starts_at + 1``."""
    found: list[TrailRecord] = [plan(fit, model)]
    found.append(moment("initial", fit=fit, epoch=0, step=0, leaves=leaves(first - 1)))
    for epoch in range(first, last + 1):
        done, step = epoch - first + 1 + starts_at, STEPS * (epoch - first + 1)
        values = losses(*(0.5 / epoch for _ in range(STEPS)))
        places = {"fit": fit, "epoch": done - 1, "first": step - STEPS + 1, "last": step}
        found.append(values.model_copy(update=places))
        metrics = {"loss": 1.0}
        at = moment("epoch", fit=fit, epoch=done, step=step, leaves=leaves(epoch), metrics=metrics)
        found.append(at)
    end = STEPS * (last - first + 1)
    done = last - first + 1 + starts_at
    found.append(moment("final", fit=fit, epoch=done, step=end, leaves=leaves(last)))
    return found


def run(*fits: list[TrailRecord]) -> Trail:
    records = [record for fit in fits for record in fit]
    ended = trail(records, ended=False).records
    return Trail((*ended, End(status="finished", fits=len(fits))), torn=False)


ONE = run(epochs(1, 1, 4))
TWO = {
    "goes on counting": run(epochs(1, 1, 2), epochs(2, 3, 4, starts_at=2)),
    "counts anew": run(epochs(1, 1, 2), epochs(2, 3, 4)),
    "three": run(epochs(1, 1, 1), epochs(2, 2, 3), epochs(3, 4, 4)),
}


def judged(original: Trail, rerun: Trail) -> Verdict:
    return judge(full_manifest(), original, rerun_manifest(), rerun)


@pytest.mark.parametrize("several", TWO.values(), ids=list(TWO))
@pytest.mark.parametrize("in_rerun", [True, False], ids=["rerun", "original"])
def test_several_fits_are_compared_as_the_one_that_they_are(several: Trail, in_rerun: bool) -> None:
    verdict = judged(ONE, several) if in_rerun else judged(several, ONE)

    assert (verdict.grade, verdict.reasons, verdict.outputs) == ("identical", (), ())
    assert verdict.moments == 6  # the initial weights, four epochs, the final weights
    assert verdict.metric_epochs == 4
    one, many = "in fit 1", f"in fits {'1, 2 and 3' if several is TWO['three'] else '1 and 2'}"
    sides = (one, many) if in_rerun else (many, one)
    assert verdict.joined == ("the original trained {}, the rerun {}".format(*sides),)


def with_other(several: Trail, kind: type[Losses | Weights], fit: int, **changes: object) -> Trail:
    """Return a trail whose first epoch of a fit has other losses or weights."""
    records = list(several.records)
    at = next(
        place
        for place, record in enumerate(records)
        if isinstance(record, kind) and record.fit == fit
        if getattr(record, "moment", "") != "initial"
    )
    records[at] = records[at].model_copy(update=changes)
    return Trail(tuple(records), torn=False)


OTHER = {"root": "9" * 32, "leaves": ("9" * 16,) * 3}


def test_a_difference_after_the_joint_is_found_at_its_epoch() -> None:
    other = with_other(TWO["counts anew"], Weights, 2, **OTHER)

    verdict = judged(ONE, other)

    assert verdict.first is not None
    assert (verdict.grade, verdict.first.what) == ("diverged", "the end of epoch 3")
    assert verdict.first.last_equal == "the end of epoch 2"


def test_a_loss_after_the_joint_is_compared_at_its_step() -> None:
    other = losses(*(0.5 for _ in range(STEPS)))
    changed = with_other(TWO["counts anew"], Losses, 2, bits=other.bits)

    verdict = judged(ONE, changed)

    assert [(each.what, each.where) for each in verdict.outputs] == [("loss", "step 21 (epoch 3)")]


@pytest.mark.parametrize(
    ("original", "rerun"),
    [
        (TWO["counts anew"], TWO["counts anew"]),
        (run(epochs(1, 1, 2)), run(epochs(1, 1, 2), epochs(2, 1, 2))),
        (ONE, run(epochs(1, 1, 2), epochs(2, 3, 4, model=2))),
        (ONE, run(epochs(1, 1, 2), epochs(2, 3, 4, starts_at=7))),
    ],
    ids=["both alike", "trained as long in one", "another model", "epochs in between are missing"],
)
def test_fits_that_are_not_one_stay_apart(original: Trail, rerun: Trail) -> None:
    assert joined(original, rerun) == (original, rerun, ())


def test_other_fits_keep_their_order() -> None:
    second = epochs(2, 1, 2, model=2)
    original = run(epochs(1, 1, 4), second)
    rerun = run(epochs(1, 1, 2), epochs(2, 3, 4), epochs(3, 1, 2, model=2))

    assert judged(original, rerun).grade == "identical"
    diverged = judged(original, with_other(rerun, Weights, 3, **OTHER))
    assert diverged.first is not None
    assert diverged.first.what == "the end of epoch 1 of fit 2"


def test_a_fit_is_joined_only_up_to_the_epochs_of_the_other() -> None:
    original = run(epochs(1, 1, 3), epochs(2, 4, 5))
    rerun = run(epochs(1, 1, 1), epochs(2, 2, 3), epochs(3, 4, 5))

    (joint,) = joined(original, rerun)[2]

    assert (joint.fits, joint.one) == ((1, 2), 1)
    assert judged(original, rerun).grade == "identical"


def test_the_first_step_of_a_fit_that_goes_on_is_not_missed() -> None:
    # Each fit digests its first step, which in the one fit is any step.
    second = epochs(2, 3, 4)
    second.insert(2, moment("step", fit=2, epoch=0, step=1, leaves=leaves(7)))

    verdict = judged(run(epochs(1, 1, 2), second), ONE)

    assert (verdict.grade, verdict.reasons) == ("identical", ())
