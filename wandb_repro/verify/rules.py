"""Rules that a team can require of every run. A rule that cannot be judged counts as broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Literal, NamedTuple

from wandb_repro.errors import UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.machine import Framework, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.training import Seeds
from wandb_repro.verify.finding import Finding, Kind


class _Run(NamedTuple):
    manifest: Manifest
    findings: tuple[Finding, ...]
    """Every reason why it might not run again, from ``audit``."""

    def first_obstacle(self, kind: Kind | None = None) -> str:
        """Return the first finding of this kind that stops a rerun; empty if there is none."""
        findings = (finding for finding in self.findings if finding.effect == "stops")
        return next((finding.sentence for finding in findings if kind in (None, finding.kind)), "")


class Rule(NamedTuple):
    """One requirement."""

    meaning: str
    """The requirement, in words."""
    broken: Callable[[_Run], str]
    """Returns why a run breaks it; empty if the run meets it."""


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

    ``findings`` are those of ``audit``.
    """
    run = _Run(manifest, findings)
    reasons = {name: RULES[name].broken(run) for name in names}
    return {name: reason for name, reason in reasons.items() if reason}


def _seed(run: _Run) -> str:
    sentence = next((finding.sentence for finding in run.findings if finding.kind == "seed"), "")
    if sentence:
        return sentence
    seeds = run.manifest.description.seeds
    known = isinstance(run.manifest.execution.seed, str) or (
        isinstance(seeds, Seeds) and any(isinstance(seed.value, str) for seed in seeds.generators)
    )
    return "" if known else "no seed is recorded"


def _of_git(run: _Run, field: Literal["dirty", "pushed"], what: str) -> bool | str:
    """Return a fact of the repository, or why it is not known."""
    code = run.manifest.execution.code
    if isinstance(code, Unavailable):
        return f"its code is not recorded: {code}"
    if isinstance(code.git, Unavailable):
        return str(code.git)
    value: bool | Unavailable = getattr(code.git, field)
    return f"it is not known whether {what}: {value}" if isinstance(value, Unavailable) else value


def _clean_tree(run: _Run) -> str:
    dirty = _of_git(run, "dirty", "its tree was clean")
    return "it ran with uncommitted code" if dirty is True else dirty or ""


def _pushed(run: _Run) -> str:
    pushed = _of_git(run, "pushed", "its commit was pushed")
    if pushed is True:
        return ""
    return pushed or "its commit was not pushed"


def _data(run: _Run) -> str:
    data = run.manifest.description.data
    if isinstance(data, Unavailable) or not data:
        return "its data has no fingerprint"
    missing = next((part for part in data if isinstance(part.digest, Unavailable)), None)
    return f"{missing.name} has no fingerprint: {missing.digest}" if missing else ""


def _deterministic(run: _Run) -> str:
    runtime = run.manifest.description.runtime
    framework = runtime.framework if isinstance(runtime, Runtime) else runtime
    value = framework.op_determinism if isinstance(framework, Framework) else framework
    if isinstance(value, Unavailable):
        return f"it is not known whether op determinism was on: {value}"
    return "" if value else "op determinism was off"


def _code(run: _Run) -> str:
    recorded = isinstance(run.manifest.execution.code, Code)
    return run.first_obstacle("code") or ("" if recorded else "its code is not recorded")


def _packages(run: _Run) -> str:
    return run.first_obstacle("package")


def _weights(run: _Run) -> str:
    return run.first_obstacle("ending")


def _ended(run: _Run) -> str:
    ending = run.manifest.ending
    if isinstance(ending, Unavailable):
        return "it has no end record"
    return {"finished": "", "interrupted": "it was interrupted", "failed": "it failed"}[
        ending.status
    ]


def _repeatable(run: _Run) -> str:
    return run.first_obstacle()


def _not_judged(run: _Run) -> str:
    del run  # only other runs can show whether a run was reproduced
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
    REPRODUCED: Rule("at least one rerun was identical or equivalent", _not_judged),
}
