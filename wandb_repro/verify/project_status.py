"""How each run of a project stands: repeatable? reproduced? what is missing? Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from wandb_repro.manifest.base import Record, Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.verify.audit import audit
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.rules import REPRODUCED, broken_rules

__all__ = ["RunStatus", "exit_code_of", "project_status", "run_status", "status_without_record"]

_REPRODUCED = ("identical", "equivalent")
_COUNTED = (*_REPRODUCED, "diverged")


class RunStatus(Record):
    """One run, as far as its record tells."""

    run: str
    """``ENTITY/PROJECT/ID``, or the folder's name."""
    id: str
    name: str
    state: str
    recorded: bool
    """Whether it was recorded by us."""
    unread: str
    """Why its record could not be read; empty where it could."""
    repeatable: bool | None
    """Whether nothing stands in the way of a rerun; None where that is not known."""
    rerun_of: str
    """The run it repeats; empty where it is no rerun."""
    verdict: str
    """A rerun's own verdict, as far as it is told."""
    attempts: Mapping[str, str]
    """Reruns of it by their ids: ``identical``, with or without where."""
    broken: Mapping[str, str]
    """Rules it breaks, each with the reason."""
    findings: tuple[Finding, ...]
    """Every reason why it might not run again, the heaviest first."""

    @property
    def reproduced(self) -> int:
        """How many reruns gave the same."""
        return sum(_grade(told) in _REPRODUCED for told in self.attempts.values())

    @property
    def attempted(self) -> int:
        """How many reruns came to a verdict."""
        return sum(_grade(told) in _COUNTED for told in self.attempts.values())


def _grade(told: str) -> str:
    return told.partition(",")[0]


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
    """Return how a run stands by itself.

    Args:
        run: ``ENTITY/PROJECT/ID``, or its folder's name.
        manifest: its record.
        trail: its weights.
        rules: what is required of it; whether it was reproduced is judged by ``project_status``.
        name: the name shown.
        state: as W&B tells it.
        verdict: its own, of a rerun.
        attempts: what reruns noted on it, by their ids.
    """
    findings = audit(manifest, trail)
    rerun_of = manifest.run.rerun_of
    return RunStatus(
        run=run,
        id=manifest.run.id,
        name=name,
        state=state,
        recorded=True,
        unread="",
        repeatable=not any(one.effect == "stops" for one in findings),
        rerun_of="" if isinstance(rerun_of, Unavailable) else rerun_of,
        verdict=verdict,
        attempts=dict(attempts or {}),
        broken=broken_rules(rules, manifest, findings),
        findings=findings,
    )


def status_without_record(
    run: str, rules: Sequence[str], *, name: str, state: str, why: str, recorded: bool
) -> RunStatus:
    """Return a run that nothing is known of: not recorded by us, or not readable.

    One that was not recorded breaks every rule, since nothing shows that it keeps one.
    """
    return RunStatus(
        run=run,
        id=_id_of(run),
        name=name,
        state=state,
        recorded=recorded,
        unread=why if recorded else "",
        repeatable=None if recorded else False,
        rerun_of="",
        verdict="",
        attempts={},
        broken={} if recorded else dict.fromkeys(rules, why),
        findings=(),
    )


def _id_of(run: str) -> str:
    """Return the id at the end of ``ENTITY/PROJECT/ID``, or of a folder's name."""
    return run.rpartition("/" if "/" in run else "-")[2]


def project_status(found: Iterable[RunStatus], rules: Sequence[str]) -> tuple[RunStatus, ...]:
    """Return the runs of a project, those first that are to be mended first.

    A rerun in the same project counts for its original, whether it was noted there or not.
    A rerun itself need not be reproduced.
    """
    runs = tuple(found)
    told: dict[str, dict[str, str]] = {}
    for run in runs:
        if run.rerun_of and run.verdict:
            told.setdefault(run.rerun_of.rpartition("/")[2], {})[run.id] = run.verdict
    whole = [_with(run, told.get(run.id, {}), rules) for run in runs]
    return tuple(sorted(whole, key=_urgency))


def _with(run: RunStatus, reruns: Mapping[str, str], rules: Sequence[str]) -> RunStatus:
    attempts = {**reruns, **run.attempts}
    counted = run.model_copy(update={"attempts": attempts})
    if REPRODUCED not in rules or run.rerun_of or run.unread or counted.reproduced:
        return counted
    why = "no rerun of it gave the same" if counted.attempted else "it was never rerun"
    broken = {**run.broken, REPRODUCED: run.broken.get(REPRODUCED, why)}
    return counted.model_copy(update={"broken": broken})


def _urgency(run: RunStatus) -> tuple[object, ...]:
    weight = {"stops": 0, "changes bits": 1, "may change bits": 2}
    heaviest = min((weight.get(one.effect, 3) for one in run.findings), default=4)
    return (
        -len(run.broken),
        not run.unread,
        run.recorded,
        heaviest,
        run.reproduced > 0,
        -len(run.findings),
    )


def exit_code_of(runs: Sequence[RunStatus]) -> int:
    """Return 1 where a run breaks a rule, else 3 where one could not be read, else 0."""
    if any(run.broken for run in runs):
        return 1
    return 3 if any(run.unread for run in runs) else 0
