"""Finds the step of a difference that was seen at the end of an epoch: runs the epoch twice."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from wandb_repro.errors import ReproError
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import WHOLE_RUN
from wandb_repro.rerun.environment.provide import Say
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_trail
from wandb_repro.verify.verdict import Bisection
from wandb_repro.verify.weights_diff import FirstDifference
from wandb_repro.workflows.prepare_rerun import Prepared, prepare
from wandb_repro.workflows.rerun import Outcome, carry_out
from wandb_repro.workflows.rerun_options import RerunOptions
from wandb_repro.workflows.verify_capsules import verify_capsules


def narrow(prepared: Prepared, outcome: Outcome, say: Say) -> Bisection | None:
    """Return the step of a difference that was seen at an epoch's end; None if nothing differs.

    One side is trained as the original was, the other as the rerun was, both with a digest after
    every step from where they were last equal. If the first does not give the original's digests
    on this machine, the step stays unknown.
    """
    first = outcome.verdict.first
    if first is None:
        return None
    original = read_trail(prepared.capsule)
    reason = _needless(first, original)
    if reason:
        return _unknown(reason)
    options = _options(prepared, outcome, first, original)
    try:
        return _narrowed(prepared, outcome.work, options, first, say)
    except ReproError as error:
        return _unknown(f"the epoch could not be run again: {error.message.rstrip('.')}")


def _unknown(reason: str) -> Bisection:
    return Bisection(original="", rerun="", first=None, causes=(), reason=reason)


def _needless(first: FirstDifference, original: Trail) -> str:
    """Return why there is no step to look for; empty if there is."""
    if first.structure:
        return "the models are not alike"
    if first.fit == WHOLE_RUN:
        return "it differs outside every fit and watched loop"
    if first.moment == "initial":
        return "it differs before the first step"
    if first.step - _last_before(first, original)[1] <= 1:
        return "the step is known already"
    return ""


def _last_before(first: FirstDifference, original: Trail) -> tuple[int, int]:
    """Return the epochs and steps of this fit that were complete and equal before it differed."""
    end = (first.step, first.epoch)
    moments = [weights for weights in original.moments() if weights.fit == first.fit]
    before = [weights for weights in moments if (weights.step, weights.epoch) < end]
    epochs = max((weights.epoch for weights in before if weights.moment == "epoch"), default=0)
    return epochs, max((weights.step for weights in before), default=0)


def _options(
    prepared: Prepared, outcome: Outcome, first: FirstDifference, original: Trail
) -> RerunOptions:
    """Return how both sides are trained; the limit counts within one ``fit`` only."""
    options = prepared.options
    python = prepared.choice.python or outcome.work / "env" / "bin" / "python"
    within = first.fit == prepared.limit.fit
    return replace(
        options,
        environment=str(python) if prepared.choice.python is None else options.environment,
        keep_going=True,
        until_epoch=first.epoch if within and first.moment != "step" else None,
        until_step=first.step if within and first.moment == "step" else None,
        steps_of=(first.fit, _last_before(first, original)[0]),
    )


def _narrowed(
    prepared: Prepared, work: Path, options: RerunOptions, first: FirstDifference, say: Say
) -> Bisection:
    limit = replace(prepared.limit, epoch=options.until_epoch, step=options.until_step)
    say(f"Running up to {first.what} again as the original ran, with a digest after every step")
    as_recorded = replace(options, threads=None, sets={})
    original = _train(prepared, work / "bisect-original", as_recorded, say)
    repeated = verify_capsules(prepared.capsule, original, limit)
    if repeated.grade != "identical":
        where = f", but differs at {repeated.first.what}" if repeated.first else ""
        return _unknown(
            f"trained with the original's own settings, this machine does not give its bits{where}"
        )
    say("Running it again as this rerun ran")
    rerun = _train(prepared, work / "bisect-rerun", options, say)
    verdict = verify_capsules(original, rerun, limit)
    equal = "the second time the two were equal: it does not repeat itself"
    return Bisection(
        original=verdict.original,
        rerun=verdict.rerun,
        first=verdict.first,
        moved=verdict.moved,
        causes=verdict.causes,
        reason="" if verdict.first else equal,
    )


def _train(prepared: Prepared, work: Path, options: RerunOptions, say: Say) -> Capsule:
    outcome = carry_out(prepare(prepared.capsule, work, options), say)
    if outcome.failure is not None:
        raise outcome.failure
    return outcome.capsule
