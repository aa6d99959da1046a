"""The status of each run of a project: is it repeatable, was it reproduced, what is missing?"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wandb_repro.manifest.base import Record, Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.verify.audit import audit
from wandb_repro.verify.finding import SEVERITY, Finding
from wandb_repro.verify.rules import REPRODUCED, broken_rules

_REPRODUCED = ("identical", "equivalent")
_COUNTED = (*_REPRODUCED, "diverged")


class RunStatus(Record):
    """The status of one run, from its record."""

    run: str
    """``ENTITY/PROJECT/ID``, or the folder's name."""
    id: str
    name: str
    state: str
    recorded: bool = True
    """Whether wandb_repro recorded it."""
    unread: str = ""
    """Why its record could not be read; empty if it could."""
    repeatable: bool | None
    """Whether nothing prevents a rerun; None if that is not known."""
    rerun_of: str = ""
    """The run it repeats; empty if it is not a rerun."""
    verdict: str = ""
    """The verdict of a rerun; empty if unknown."""
    attempts: Mapping[str, str] = {}
    """Its reruns by id: ``identical`` or ``identical, other CPU``."""
    broken: Mapping[str, str]
    """Rules it breaks, each with the reason."""
    findings: tuple[Finding, ...] = ()
    """Every reason why it might not run again, the most severe first."""

    @property
    def reproduced(self) -> int:
        """How many reruns were identical or equivalent."""
        return sum(_grade(attempt) in _REPRODUCED for attempt in self.attempts.values())

    @property
    def attempted(self) -> int:
        """How many reruns ended with a verdict other than inconclusive."""
        return sum(_grade(attempt) in _COUNTED for attempt in self.attempts.values())


def _grade(attempt: str) -> str:
    return attempt.partition(",")[0]


def run_status(
    run: str,
    manifest: Manifest,
    trail: Trail,
    rules: Sequence[str],
    *,
    name: str = "",
    state: str = "",
    verdict: str = "",
    attempts: Mapping[str, str] | None = None,
) -> RunStatus:
    """Return the status of a run from its record alone. ``RunStatus`` describes the arguments.

    ``project_status`` judges whether it was reproduced.
    """
    findings = audit(manifest, trail)
    rerun_of = manifest.run.rerun_of
    return RunStatus(
        run=run,
        id=manifest.run.id,
        name=name,
        state=state,
        repeatable=not any(finding.effect == "stops" for finding in findings),
        rerun_of="" if isinstance(rerun_of, Unavailable) else rerun_of,
        verdict=verdict,
        attempts=dict(attempts or {}),
        broken=broken_rules(rules, manifest, findings),
        findings=findings,
    )


def status_without_record(
    run: str, rules: Sequence[str], *, name: str, state: str, why: str, recorded: bool
) -> RunStatus:
    """Return the status of a run without a readable record.

    A run that wandb_repro did not record breaks every rule: nothing shows that it meets any.
    """
    return RunStatus(
        run=run,
        id=_id_of(run),
        name=name,
        state=state,
        recorded=recorded,
        unread=why if recorded else "",
        repeatable=None if recorded else False,
        broken={} if recorded else dict.fromkeys(rules, why),
    )


def _id_of(run: str) -> str:
    """Return the id at the end of ``ENTITY/PROJECT/ID`` or a folder's name."""
    return run.rpartition("/" if "/" in run else "-")[2]


def project_status(found: Iterable[RunStatus], rules: Sequence[str]) -> tuple[RunStatus, ...]:
    """Return the runs of a project, the most urgent first, with reruns counted.

    A rerun in the same project counts for its original even if it was not written back.
    Reruns themselves need not be reproduced.
    """
    runs = tuple(found)
    reruns: dict[str, dict[str, str]] = {}
    for run in runs:
        if run.rerun_of and run.verdict:
            reruns.setdefault(run.rerun_of.rpartition("/")[2], {})[run.id] = run.verdict
    counted = [_with_reruns(run, reruns.get(run.id, {}), rules) for run in runs]
    return tuple(sorted(counted, key=_urgency))


def _with_reruns(run: RunStatus, reruns: Mapping[str, str], rules: Sequence[str]) -> RunStatus:
    attempts = {**reruns, **run.attempts}
    counted = run.model_copy(update={"attempts": attempts})
    if REPRODUCED not in rules or run.rerun_of or run.unread or counted.reproduced:
        return counted
    why = "no rerun was identical" if counted.attempted else "it was never rerun"
    broken = {**run.broken, REPRODUCED: run.broken.get(REPRODUCED, why)}
    return counted.model_copy(update={"broken": broken})


def _urgency(run: RunStatus) -> tuple[object, ...]:
    heaviest = min((SEVERITY[finding.effect] for finding in run.findings), default=len(SEVERITY))
    return (
        -len(run.broken),
        not run.unread,
        run.recorded,
        heaviest,
        run.reproduced > 0,
        -len(run.findings),
    )


def exit_code_of(runs: Sequence[RunStatus]) -> int:
    """Return 1 if a run breaks a rule, else 3 if a record could not be read, else 0."""
    if any(run.broken for run in runs):
        return 1
    return 3 if any(run.unread for run in runs) else 0
