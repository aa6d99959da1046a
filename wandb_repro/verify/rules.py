"""Rules that a team can require of every run. A rule that cannot be judged counts as broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code, GitState
from wandb_repro.manifest.machine import Framework, Runtime
from wandb_repro.manifest.manifest import Ending, Manifest
from wandb_repro.manifest.training import Seeds
from wandb_repro.verify.finding import Finding


class Rule(NamedTuple):
    """One requirement."""

    meaning: str
    """What it requires, for people."""
    broken: Callable[[Manifest, tuple[Finding, ...]], str]
    """Returns why a run breaks it; empty if it keeps it."""


def check_rules(names: Iterable[str]) -> tuple[str, ...]:
    """Return the names of rules without duplicates.

    Raises:
        UsageError: a name is not a rule.
    """
    required = tuple(dict.fromkeys(names))
    unknown = [name for name in required if name not in RULES]
    if unknown:
        raise UsageError(f"No rule {unknown[0]!r}.", hint=f"Rules are {', '.join(RULES)}.")
    return required


def broken_rules(
    names: Iterable[str], manifest: Manifest, findings: tuple[Finding, ...]
) -> dict[str, str]:
    """Return the rules that a run breaks, each with the reason.

    Args:
        names: the rules to check.
        manifest: record of the run.
        findings: every reason why it might not run again, from ``audit``.
    """
    reasons = {name: RULES[name].broken(manifest, findings) for name in names}
    return {name: reason for name, reason in reasons.items() if reason}


def _seed(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    late = next((one.sentence for one in findings if one.kind == "seed"), "")
    if late:
        return late
    seeds = manifest.description.seeds
    known = isinstance(manifest.execution.seed, str) or (
        isinstance(seeds, Seeds) and any(isinstance(one.value, str) for one in seeds.generators)
    )
    return "" if known else "no seed is recorded"


def _git(manifest: Manifest) -> GitState | str:
    code = manifest.execution.code
    if isinstance(code, Unavailable):
        return f"its code is not recorded: {code}"
    return code.git if isinstance(code.git, GitState) else str(code.git)


def _clean_tree(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    del findings
    git = _git(manifest)
    if isinstance(git, str):
        return git
    if isinstance(git.dirty, Unavailable):
        return f"it is not known whether its tree was clean: {git.dirty}"
    return "it ran with uncommitted code" if git.dirty else ""


def _pushed(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    del findings
    git = _git(manifest)
    if isinstance(git, str):
        return git
    if isinstance(git.pushed, Unavailable):
        return f"it is not known whether its commit was pushed: {git.pushed}"
    return "" if git.pushed else "its commit was not pushed"


def _data(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    del findings
    data = manifest.description.data
    if isinstance(data, Unavailable) or not data:
        return "its data has no fingerprint"
    lost = next((part for part in data if isinstance(part.digest, Unavailable)), None)
    return f"{lost.name} has no fingerprint: {lost.digest}" if lost else ""


def _deterministic(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    del findings
    runtime = manifest.description.runtime
    framework = runtime.framework if isinstance(runtime, Runtime) else runtime
    if not isinstance(framework, Framework):
        return f"it is not known whether op determinism was on: {framework}"
    if isinstance(framework.op_determinism, Unavailable):
        return f"it is not known whether op determinism was on: {framework.op_determinism}"
    return "" if framework.op_determinism else "op determinism was off"


def _code(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    stopped = _stopped(findings, "code")
    code = manifest.execution.code
    if stopped or not isinstance(code, Code):
        return stopped or "its code is not recorded"
    return ""


def _packages(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    del manifest
    return _stopped(findings, "package")


def _weights(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    del manifest
    return next(
        (one.sentence for one in findings if one.kind == "ending" and one.effect == "stops"), ""
    )


def _ended(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    del findings
    ending = manifest.ending
    if isinstance(ending, Ending):
        return "" if ending.status == "finished" else f"it {_ENDINGS[ending.status]}"
    return "it has no end record"


_ENDINGS = {"interrupted": "was interrupted", "failed": "failed"}


def _repeatable(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    del manifest
    return _stopped(findings)


def _stopped(findings: tuple[Finding, ...], kind: str = "") -> str:
    found = (one for one in findings if one.effect == "stops" and kind in ("", one.kind))
    return next((one.sentence for one in found), "")


def _nothing(manifest: Manifest, findings: tuple[Finding, ...]) -> str:
    """Judge nothing: only other runs can show whether a run was reproduced."""
    del manifest, findings
    return ""


REPRODUCED = "reproduced"

RULES: Mapping[str, Rule] = {
    "seed": Rule("a seed is recorded, and was set before its first use", _seed),
    "clean-tree": Rule("all code was committed", _clean_tree),
    "pushed": Rule("its commit was pushed", _pushed),
    "data-fingerprints": Rule("all its data has a fingerprint", _data),
    "deterministic": Rule("op determinism was on", _deterministic),
    "code": Rule("its source tree is stored with it", _code),
    "packages": Rule("every package can be installed again", _packages),
    "weights": Rule("its weights were digested", _weights),
    "finished": Rule("it ended normally", _ended),
    "repeatable": Rule("nothing prevents a rerun", _repeatable),
    REPRODUCED: Rule("at least one rerun was identical or equivalent", _nothing),
}
