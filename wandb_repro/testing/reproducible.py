"""Does a training give the same bits twice?"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.testing.failure import fail_with_verdict
from wandb_repro.testing.fresh_process import Noted, Processes
from wandb_repro.testing.target import target_of
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.finding import Finding, about_one_run
from wandb_repro.verify.verdict import Verdict, judge


def assert_reproducible(
    train: Callable[..., object],
    *,
    steps: int | None = None,
    seed: int | None = None,
    deterministic: bool | None = None,
    timeout_s: float = 600,
) -> None:
    """Fail unless two fresh processes train the same model, bit for bit.

    Every variable is digested before the first step, after each step and at the end of each
    epoch; the second process stops at the first difference. W&B is disabled in both unless
    ``WANDB_MODE`` says otherwise.

    Args:
        train: called without arguments; seeds, builds and fits, as a script does. It must be
            defined at the top of a module, or be a ``functools.partial`` of such a function.
            Compared are every step of every ``fit``, the models and optimizers that it returns,
            alone or in lists and dicts, and everything else that it made and that still exists.
        steps: compare this many optimizer steps and stop; None compares the whole training.
        seed: of every random generator, set before ``train`` is called, as by
            ``wandb_repro.init``; None leaves seeding to ``train``.
        deterministic: True turns on the framework's deterministic operations before it is called.
        timeout_s: limit for each process.

    Raises:
        AssertionError: they differ, too little could be compared, or the training failed.
        UsageError: a fresh process cannot import ``train``, or ``steps`` is less than 1.
    """
    __tracebackhide__ = True
    if steps is not None and steps < 1:
        raise UsageError(f"steps={steps} is not a number of steps. Give 1 or more, or None.")
    target = target_of(train)
    with tempfile.TemporaryDirectory(prefix="wandb-repro-") as scratch:
        processes = Processes(
            target, Path(scratch), seed=seed, deterministic=deterministic, timeout_s=timeout_s
        )
        first = processes.train("the first process", steps=steps, judges_result=True)
        second = processes.train(
            "the second process", steps=steps, original=first, judges_result=True
        )
        verdict = _verdict(first, second, Limit(step=steps))
    if verdict.grade == "diverged":
        fail_with_verdict(
            f"{target} does not repeat itself: two fresh processes {_what_differs(verdict)}.",
            verdict,
        )
    if verdict.grade != "identical":
        fail_with_verdict(
            f"Nothing shows whether {target} repeats itself. Call fit of a Keras model "
            "in it, or return the model that it trained.",
            verdict,
        )


def _what_differs(verdict: Verdict) -> str:
    if verdict.first is None:
        return "trained equal weights, and other losses or metrics came out"
    return "trained different weights"


def _verdict(first: Noted, second: Noted, limit: Limit) -> Verdict:
    verdict = judge(first.manifest, first.trail, second.manifest, second.trail, limit)
    if verdict.first is None:
        return verdict
    extra = tuple(_seedless(first, verdict))
    again = judge(first.manifest, first.trail, second.manifest, second.trail, limit, extra)
    return again.model_copy(update={"causes": tuple(map(_cured_here, again.causes))})


def _cured_here(cause: Finding) -> Finding:
    """Return a cause with a fix for a test, which has no run to record again."""
    if cause.kind != "determinism" or not cause.cure.startswith("pass deterministic=True"):
        return cause
    cure = "begin the training with deterministic=True in wandb_repro.init, or give it here"
    return cause.model_copy(update={"cure": cure})


def _seedless(noted: Noted, verdict: Verdict) -> list[Finding]:
    """Return what is wrong with the seeds, if anything can be seen."""
    seeds = noted.manifest.description.seeds
    if isinstance(seeds, Unavailable) or verdict.first is None:
        return []
    if not seeds.generators:
        return [
            about_one_run(
                "seed",
                "seed",
                "not set",
                "changes bits",
                "Nothing set a seed before the model was built",
                "begin the training with keras.utils.set_random_seed(...) or "
                "wandb_repro.init(seed=...), or give assert_reproducible a seed=",
            )
        ]
    if verdict.first.stage == "initial":
        return [
            about_one_run(
                "seed",
                "where the seed reaches",
                "not everywhere",
                "changes bits",
                "A seed was set, and does not reach what is drawn before the first step",
                "set it before anything else; give numpy.random.default_rng, and every other "
                "generator with its own state, a seed",
            )
        ]
    return []
