"""Finds what differs between two runs: what was recorded of them, and what came out."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.errors import ReproError
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import check_intact, read_manifest, read_trail
from wandb_repro.verify.continued import continuations
from wandb_repro.verify.finding import SEVERITY, Finding
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.verdict import Verdict, judge

_MOST_RESULTS = 12


def diff_capsules(original: Capsule, other: Capsule) -> tuple[Finding, ...]:
    """Return what differs between two capsules on this disk: what came out, then by severity.

    Of a run whose trail is missing or damaged, only the manifest is compared.

    Raises:
        ReproError: a manifest cannot be read, or is invalid.
    """
    first, second = read_manifest(original), read_manifest(other)
    try:
        check_intact(original, first)
        check_intact(other, second)
        trails = read_trail(original), read_trail(other)
    except ReproError:
        return differences(first, second)
    verdict = judge(first, trails[0], second, trails[1])
    found = (*differences(first, second), *continuations(*trails))
    results = list(_results(verdict))[:_MOST_RESULTS]
    return (*results, *sorted(found, key=lambda finding: SEVERITY[finding.effect]))


def _results(verdict: Verdict) -> Iterator[Finding]:
    """Yield where the weights differ first, and each result that differs."""
    if verdict.first is not None:
        at = verdict.first.what
        yield _result("weights", "", f"differ at {at}", f"The weights differ first at {at}")
    for output in verdict.outputs:
        name = output.key if not output.where else f"{output.key}, {output.where}"
        yield _result(name, output.original, output.rerun, f"{output}")


def _result(fact: str, original: str, here: str, sentence: str) -> Finding:
    return Finding(
        kind="result",
        fact=fact,
        original=original,
        here=here,
        effect="explains",
        sentence=sentence,
    )
