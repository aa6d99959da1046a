"""Which difference most likely did it: ranked by what each can do, and when it would show."""

from __future__ import annotations

from collections.abc import Iterable

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.document import Manifest
from wandb_repro.manifest.runtime import Framework, Runtime
from wandb_repro.manifest.seeds import Seeds
from wandb_repro.verify.finding import Effect, Finding, Kind
from wandb_repro.verify.trails import FirstDifference, Stage

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
    "code": 70,
    "config": 60,
    "command": 50,
    "framework": 40,
    "package": 30,
    "interpreter": 10,
}
_FIRST_STEPS: dict[Kind, int] = {
    "data": 95,
    "threads": 90,
    "switch": 85,
    "framework": 80,
    "determinism": 75,
    "processor": 70,
    "accelerator": 65,
    "code": 60,
    "config": 55,
    "seed": 50,
    "package": 45,
    "command": 40,
}
_LATER: dict[Kind, int] = {
    "determinism": 90,
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


def rank(
    findings: Iterable[Finding], first: FirstDifference, original: Manifest
) -> tuple[Finding, ...]:
    """Return what can have changed the bits, the likeliest first.

    What cannot change bits is left out. What does not show in a comparison is added: a generator
    that was not seeded in time, or, where no difference is known to change bits at this stage, an
    operation that does not repeat itself.
    """
    stage = _STAGES[first.stage]
    able = [found for found in findings if _EFFECTS[found.effect]]
    if first.stage == "initial":
        able += _late_seeds(original)
    elif not any(found.effect == "changes bits" and found.kind in stage for found in able):
        able.append(_nondeterminism(original))
    return tuple(sorted(able, key=lambda found: -_score(found, stage)))


def _score(finding: Finding, stage: dict[Kind, int]) -> int:
    expected = stage.get(finding.kind, 0)
    return expected + _EFFECTS[finding.effect] if expected else _EFFECTS[finding.effect] // 10


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
        fact="operations that do not repeat themselves",
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
