"""Ranks the differences that could have caused a divergence: the likeliest first."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.verify.audit import seeded_too_late
from wandb_repro.verify.cause_weights import EFFECT_WEIGHTS, weights_at, weights_of_outputs
from wandb_repro.verify.continued import CONTINUED
from wandb_repro.verify.finding import Finding, Kind, about_one_run
from wandb_repro.verify.first_cause import FirstCause
from wandb_repro.verify.outcome import OutputDifference
from wandb_repro.verify.weights_diff import FirstDifference


def rank(
    findings: Iterable[Finding],
    first: FirstDifference,
    original: Manifest,
    moved: FirstCause | None = None,
) -> tuple[Finding, ...]:
    """Return the differences that could have changed the bits, the likeliest first.

    Adds causes that comparing two manifests cannot show: differences in the trails, a generator
    that was seeded too late, or, if no recorded difference is known to change bits at this stage,
    a nondeterministic operation.
    """
    weights = weights_at(first, moved)
    causes = [finding for finding in findings if EFFECT_WEIGHTS[finding.effect]]
    causes += _shown_by_trails(first, moved, causes, original)
    if first.stage == "initial":
        causes += _late_seeds(original)
    elif not any(cause.effect == "changes bits" and cause.kind in weights for cause in causes):
        causes.append(_nondeterminism(original))
    return tuple(sorted(causes, key=lambda cause: -_score(cause, weights)))


def rank_for_outputs(
    findings: Iterable[Finding], outputs: Sequence[OutputDifference]
) -> tuple[Finding, ...]:
    """Return the differences that could explain other results of equal weights, likeliest first.

    Args:
        findings: differences of the two records.
        outputs: what came out otherwise, the earliest first.
    """
    weights = weights_of_outputs({output.what for output in outputs})
    causes = [finding for finding in findings if EFFECT_WEIGHTS[finding.effect]]
    return tuple(sorted(causes, key=lambda cause: -_score(cause, weights)))


def _score(finding: Finding, weights: dict[Kind, int]) -> int:
    if finding.fact == CONTINUED:
        return _CONTINUED_SCORE
    if finding.fact == _NONDETERMINISM:
        # After every recorded difference that is a likely cause, before the unlikely ones.
        return _NONDETERMINISM_SCORE
    weight, effect = weights.get(finding.kind, 0), EFFECT_WEIGHTS[finding.effect]
    if finding.fact in _SHOWN_BY_TRAILS:
        # The trails show where to look. A recorded difference says what it was, so it goes first.
        return weight + EFFECT_WEIGHTS["may change bits"] - 1
    return weight + effect if weight else effect // 10


_CONTINUED_SCORE = 1000
"""Before all else: what a checkpoint did not restore is known to be another training."""
_NONDETERMINISM = "operations that do not repeat themselves"
_NONDETERMINISM_SCORE = 100
_SHOWN_BY_TRAILS = frozenset(
    {
        "weights between steps",
        "batches",
        "seed of a layer",
        "hyperparameter of the optimizer",
    }
)


def _shown_by_trails(
    first: FirstDifference, moved: FirstCause | None, known: Iterable[Finding], original: Manifest
) -> Iterable[Finding]:
    """Yield causes that the digests show and that no recorded difference explains."""
    if moved is None:
        return
    kinds = {finding.kind for finding in known if finding.effect == "changes bits"}
    if moved.what == "state" and "code" not in kinds:
        fact = "weights between steps"
        sentence = (
            f"Before {first.what} something other than training changed the weights: a callback, "
            "or code between two calls"
        )
        cure = "check what sets weights between steps"
        yield about_one_run("code", fact, "", "changes bits", sentence, cure)
    elif moved.what == "data" and "data" not in kinds:
        sentence = f"The batches up to {first.what} differ, and {_fingerprints(original)}"
        cure = "seed the order; give each parallel worker its own generator"
        yield about_one_run("data", "batches", "", "changes bits", sentence, cure)
    elif moved.groups == ("seed",) and first.moment == "initial" and "seed" not in kinds:
        sentence = (
            f"Only seed generators differ before the first step, {_first_label(first)} first: a "
            "layer got another seed"
        )
        cure = "give the layer the same seed as in the original"
        yield about_one_run("seed", "seed of a layer", "", "changes bits", sentence, cure)
    elif moved.groups == ("optimizer",) and first.moment == "initial":
        fact, label = "hyperparameter of the optimizer", _first_label(first)
        sentence = f"Only the optimizer's variables differ before the first step, {label} first"
        cure = "give the optimizer the same hyperparameters as in the original"
        yield about_one_run("config", fact, "", "changes bits", sentence, cure)


def _fingerprints(original: Manifest) -> str:
    if isinstance(original.description.data, Unavailable):
        return "no data was fingerprinted: it may be the data, its order or the input pipeline"
    return "no fingerprint differs: it may be the order or the input pipeline"


def _first_label(first: FirstDifference) -> str:
    return first.leaves[0].label if first.leaves else "none"


def _late_seeds(original: Manifest) -> Iterable[Finding]:
    generators = ", ".join(seeded_too_late(original))
    if generators:
        yield Finding(
            kind="seed",
            fact="when the seed was set",
            original="after first use",
            here="after first use",
            effect="changes bits",
            sentence=f"The original set its seed after {generators} had been used: the "
            "initial weights were drawn before that and cannot be repeated",
            cure="call wandb_repro.init before building a model",
        )


def _nondeterminism(original: Manifest) -> Finding:
    sentence = (
        "No recorded difference is known to cause this: an operation or the input pipeline is not "
        "deterministic"
    )
    value, cure = "on", "look for a random generator that parallel workers share"
    if not _op_determinism(original):
        sentence += ", and op determinism was off"
        value, cure = "off", "pass deterministic=True to init and record the run again"
    return Finding(
        kind="determinism",
        fact=_NONDETERMINISM,
        original=value,
        here=value,
        effect="changes bits",
        sentence=sentence,
        cure=cure,
    )


def _op_determinism(original: Manifest) -> bool:
    runtime = original.description.runtime
    framework = runtime.framework if isinstance(runtime, Runtime) else None
    return isinstance(framework, Framework) and framework.op_determinism is True
