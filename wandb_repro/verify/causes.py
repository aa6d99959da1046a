"""Which difference most likely did it: ranked by what each can do, and when it would show."""

from __future__ import annotations

from collections.abc import Iterable

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.training import Seeds
from wandb_repro.verify.finding import Effect, Finding, Kind
from wandb_repro.verify.first_cause import CauseKind, FirstCause
from wandb_repro.verify.trail_diff import FirstDifference, Stage

__all__ = ["rank"]

_EFFECTS: dict[Effect, int] = {
    "stops": 0,
    "changes bits": 100,
    "may change bits": 40,
    "explains": 0,
}

# Initial weights come from seeds and initializers only; kernels, threads and data cannot have
# touched them yet. Once they are equal, seeds and code did their part already.
# Source: measured on 8 kinds of model and 13 settings; see the design's tree of causes.
_INITIAL: dict[Kind, int] = {
    "seed": 90,
    "model": 85,
    "code": 70,
    "config": 60,
    "command": 50,
    "framework": 40,
    "package": 30,
    "interpreter": 10,
}
_FIRST_STEPS: dict[Kind, int] = {
    "data": 95,
    "model": 93,
    "threads": 90,
    "switch": 85,
    "framework": 80,
    "determinism": 75,
    "processor": 70,
    "accelerator": 65,
    "code": 60,
    "config": 62,
    "seed": 50,
    "package": 45,
    "command": 40,
}
_LATER: dict[Kind, int] = {
    "determinism": 90,
    "model": 85,
    "accelerator": 80,
    "code": 70,
    "config": 65,
    "data": 60,
    "threads": 55,
    "switch": 50,
    "framework": 45,
    "processor": 40,
    "seed": 35,
    "package": 30,
    "command": 25,
}
_STAGES: dict[Stage, dict[Kind, int]] = {
    "initial": _INITIAL,
    "first steps": _FIRST_STEPS,
    "later": _LATER,
}


# What moved first says more than when: what lies behind it in a step cannot have moved it. The
# kernels of a model have not run when its batch is another; a batch that is the same and a loss
# that is not leave the kernels of the forward pass. Source: five faults, injected and measured.
_MOVED: dict[CauseKind, dict[Kind, int]] = {
    "data": {
        "config": 97,
        "command": 96,
        "data": 95,
        "package": 95,
        "determinism": 80,
        "seed": 75,
        "code": 70,
        "model": 30,
        "framework": 25,
    },
    "state": {"code": 95, "model": 65, "config": 60, "command": 55, "package": 30, "framework": 20},
    "loss": {kind: weight for kind, weight in _FIRST_STEPS.items() if kind != "data"},
    "weights": {**_FIRST_STEPS, "config": 88, "data": 1},
}


def rank(
    findings: Iterable[Finding],
    first: FirstDifference,
    original: Manifest,
    moved: FirstCause | None = None,
) -> tuple[Finding, ...]:
    """Return what can have changed the bits, the likeliest first.

    What cannot change bits is left out. What does not show in a comparison is added: what the
    trails themselves show, a generator that was not seeded in time, or, where no difference is
    known to change bits at this stage, an operation that does not repeat itself.

    Args:
        findings: what differs between the two runs.
        first: where the trails differ first.
        original: the record of the run that is repeated.
        moved: what moved first there, where the trails tell.
    """
    stage = _table(first, moved)
    able = [found for found in findings if _EFFECTS[found.effect]]
    able += _shown_by_trails(first, moved, able, original)
    if first.stage == "initial":
        able += _late_seeds(original)
    elif not any(found.effect == "changes bits" and found.kind in stage for found in able):
        able.append(_nondeterminism(original))
    return tuple(sorted(able, key=lambda found: -_score(found, stage)))


def _table(first: FirstDifference, moved: FirstCause | None) -> dict[Kind, int]:
    known = _MOVED.get(moved.what) if moved is not None else None
    return known or _STAGES[first.stage]


def _score(finding: Finding, stage: dict[Kind, int]) -> int:
    if finding.fact == _GUESS:
        return _GUESSED
    expected = stage.get(finding.kind, 0)
    if finding.fact in _SHOWN:
        return expected + _EFFECTS["may change bits"] - 1
    return expected + _EFFECTS[finding.effect] if expected else _EFFECTS[finding.effect] // 10


_GUESS = "operations that do not repeat themselves"
_GUESSED = 100
"""Behind every recorded difference that may well have done it, before those that hardly can."""


_SHOWN = frozenset(
    {
        "weights between steps",
        "batches",
        "seed of a layer",
        "hyperparameter of the optimizer",
    }
)
"""What only the trails show says where to look: a recorded difference that can do it says what it
was, and goes before it."""


def _shown_by_trails(
    first: FirstDifference, moved: FirstCause | None, known: Iterable[Finding], original: Manifest
) -> Iterable[Finding]:
    """Yield what the digests show and no recorded difference explains."""
    if moved is None:
        return
    kinds = {found.kind for found in known if found.effect == "changes bits"}
    if moved.what == "state" and "code" not in kinds:
        yield _shown(
            "code",
            "weights between steps",
            f"Before {first.what} the weights were changed outside of training: by a callback, or "
            "by code between two calls",
            "look at what sets weights between steps",
        )
    elif moved.what == "data" and "data" not in kinds:
        yield _shown(
            "data",
            "batches",
            f"The batches up to {first.what} are not the same, and {_of_fingerprints(original)}",
            "seed the order; give each index of parallel workers a generator of its own",
        )
    elif moved.groups == ("seed",) and first.moment == "initial" and "seed" not in kinds:
        yield _shown(
            "seed",
            "seed of a layer",
            f"Only seed generators differ before the first step, {_labels(first)} first: a layer "
            "got another seed",
            "give the layer the original's seed",
        )
    elif moved.groups == ("optimizer",) and first.moment == "initial":
        yield _shown(
            "config",
            "hyperparameter of the optimizer",
            f"Only the optimizer's variables differ before the first step, {_labels(first)} first",
            "give the optimizer the original's hyperparameters",
        )


def _of_fingerprints(original: Manifest) -> str:
    if isinstance(original.description.data, Unavailable):
        return "nothing was fingerprinted: the data, its order or what the pipeline makes of them"
    return "no fingerprint differs: their order or what the pipeline makes of them"


def _labels(first: FirstDifference) -> str:
    return first.leaves[0].label if first.leaves else "none"


def _shown(kind: Kind, fact: str, sentence: str, cure: str) -> Finding:
    return Finding(
        kind=kind,
        fact=fact,
        original="",
        here="",
        effect="changes bits",
        sentence=sentence,
        cure=cure,
    )


def _late_seeds(original: Manifest) -> Iterable[Finding]:
    seeds = original.description.seeds
    if not isinstance(seeds, Seeds):
        return
    late = [seed.generator for seed in seeds.generators if seed.when == "after first use"]
    if late:
        yield Finding(
            kind="seed",
            fact="when the seed was set",
            original="after first use",
            here="after first use",
            effect="changes bits",
            sentence=f"The original set its seed after {', '.join(late)} had been used: the "
            "initial weights were drawn before it and cannot be repeated",
            cure="call wandb_repro.init before any model is built",
        )


def _nondeterminism(original: Manifest) -> Finding:
    on = _op_determinism(original)
    return Finding(
        kind="determinism",
        fact=_GUESS,
        original="on" if on else "off",
        here="on" if on else "off",
        effect="changes bits",
        sentence="No recorded difference is known to do this: an operation or the input pipeline "
        "does not repeat itself" + ("" if on else ", and op determinism was off"),
        cure="look for a shared random generator in parallel workers"
        if on
        else "pass deterministic=True to init and record the run again",
    )


def _op_determinism(original: Manifest) -> bool:
    runtime = original.description.runtime
    framework = runtime.framework if isinstance(runtime, Runtime) else Unavailable(unavailable="")
    return isinstance(framework, Framework) and framework.op_determinism is True
