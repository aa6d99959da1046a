"""The table that ``audit`` prints: one line for each run of a project, and what to fix first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.text import Text

from wandb_repro.report.layout import STYLES, blank, heading, listing, page
from wandb_repro.report.text import clean, count
from wandb_repro.verify.finding import SEVERITY, Effect, Finding
from wandb_repro.verify.project_status import RunStatus
from wandb_repro.verify.rules import REPRODUCED

_MAX_FIXES = 5


def project_status_text(
    where: str, runs: Sequence[RunStatus], rules: Sequence[str], total: int
) -> RenderableType:
    """Return the answer, one line for each run, the most urgent first, and what to fix first.

    ``total`` is larger than the number of ``runs`` if only the newest runs were read.
    """
    return page(
        heading(*_answer(runs, rules)),
        heading("", f"{where}: {', '.join(_counts(runs, total))}"),
        blank(),
        _table(runs),
        *listing("Fix first", _fixes(runs)),
    )


def _answer(runs: Sequence[RunStatus], rules: Sequence[str]) -> tuple[str, str, str]:
    broken = sum(bool(run.broken) for run in runs)
    unread = sum(bool(run.unread) for run in runs)
    required = ", ".join(rules)
    if broken:
        verb = "breaks" if broken == 1 else "break"
        return f"{count(broken, 'run')} {verb} a rule", f"rules: {required}", STYLES["diverged"]
    if unread:
        return f"{count(unread, 'run')} could not be read", "", STYLES["inconclusive"]
    if rules:
        return "every run keeps the rules", required, STYLES["identical"]
    return "no rules set", "use require = [...] in [tool.wandb_repro], or --require", "bold"


def _counts(runs: Sequence[RunStatus], total: int) -> Iterator[str]:
    yield count(total, "run")
    if total > len(runs):
        yield f"the newest {len(runs):,} read"
    yield f"{sum(run.repeatable is True for run in runs):,} repeatable"
    originals = [run for run in runs if run.recorded and not run.rerun_of]
    yield f"{sum(run.reproduced > 0 for run in originals):,} reproduced"
    reruns = sum(bool(run.rerun_of) for run in runs)
    if reruns:
        yield count(reruns, "rerun")


def _table(runs: Sequence[RunStatus]) -> RenderableType:
    """Return a line for each run, cut to the terminal's width."""
    widest = max((len(_id(run)) for run in runs), default=0)
    wide = max(len("run"), min(widest, _ID))
    lines = [Text(_line(" ", "run", wide, "repeatable", "reproduced", "what is missing"), "dim")]
    for run in runs:
        mark, style = _mark(run)
        columns = _repeatable(run), _reproduced(run), clean(_missing(run), 300)
        line = Text(_line(mark, _id(run), wide, *columns))
        line.stylize(style, 0, 1)
        lines.append(line)
    for line in lines:
        line.no_wrap, line.overflow = True, "ellipsis"
    return Padding(Group(*lines), (0, 0, 0, 2))


def _line(mark: str, name: str, wide: int, repeatable: str, reproduced: str, missing: str) -> str:
    name = name if len(name) <= wide else f"{name[: wide - 1]}…"
    return f"{mark} {name:<{wide}}  {repeatable:<10}  {reproduced:<10}  {missing}"


_ID = 22
"""Maximum width of a run's id."""


def _id(run: RunStatus) -> str:
    return clean(run.id, 60)


def _mark(run: RunStatus) -> tuple[str, str]:
    if run.broken:
        return "✗", STYLES["stops"]
    if run.unread:
        return "?", STYLES["inconclusive"]
    if not run.repeatable:
        return "!", STYLES["changes bits"]
    return "✓", "green"


def _repeatable(run: RunStatus) -> str:
    if run.repeatable is None:
        return "unknown"
    return "yes" if run.repeatable else "no"


def _reproduced(run: RunStatus) -> str:
    if run.rerun_of:
        return "is a rerun"
    if not run.recorded or run.unread:
        return "-"
    return f"{run.reproduced} of {run.attempted}" if run.attempted else "never"


def _missing(run: RunStatus) -> str:
    if run.unread:
        return f"could not be read: {run.unread}"
    if not run.recorded:
        return "a record: it ran without wandb_repro"
    facts = [finding.fact for finding in run.findings if finding.effect in _SEVERE]
    about_data = any(finding.kind == "data" for finding in run.findings)
    if about_data and "data-fingerprints" not in run.broken:
        facts.append("data fingerprints")
    return ", ".join(dict.fromkeys((*run.broken, *facts))) or "nothing"


def _fixes(runs: Sequence[RunStatus]) -> Iterator[tuple[str, str, str]]:
    """Yield fixes, the most severe first: the number of runs, the problem and the cure."""
    unrecorded = sum(not run.recorded for run in runs)
    if unrecorded:
        cure = "add wandb_repro.init, or start it with wandb-repro run"
        yield f"{unrecorded:,}×", "Ran without wandb_repro", cure
    rules = list(_broken_rules(runs))
    yield from rules
    rule_sentences = " ".join(sentence for _, sentence, _ in rules)
    findings: dict[tuple[str, str], Finding] = {}
    times: Counter[tuple[str, str]] = Counter()
    for run in runs:
        severe_ones = (finding for finding in run.findings if finding.effect in _SEVERE)
        of_run = {(finding.kind, finding.fact): finding for finding in severe_ones}
        findings |= of_run
        times.update(of_run.keys())
    severe = sorted(
        (key for key in times if findings[key].sentence not in rule_sentences),
        key=lambda key: (SEVERITY[findings[key].effect], -times[key], key),
    )
    for key in severe[:_MAX_FIXES]:
        yield f"{times[key]:,}×", findings[key].sentence, findings[key].cure


def _broken_rules(runs: Sequence[RunStatus]) -> Iterator[tuple[str, str, str]]:
    broken = Counter(rule for run in runs if run.recorded for rule in run.broken)
    for rule, times in broken.most_common():
        reasons = Counter(run.broken.get(rule, "") for run in runs if run.recorded)
        del reasons[""]
        why = reasons.most_common(1)[0][0]
        yield f"{times:,}×", f"{rule}: {why}", _CURES.get(rule, "")


_SEVERE: tuple[Effect, ...] = ("stops", "changes bits", "may change bits")
_CURES = {
    "seed": "start runs with wandb_repro.init, before a model is built",
    "clean-tree": "commit before you train",
    "pushed": "push before you train",
    "data-fingerprints": "call wandb_repro.fingerprint(name, x, y)",
    "deterministic": "pass deterministic=True to init",
    "weights": "add ReproCallback() to fit",
    REPRODUCED: "wandb-repro rerun RUN --write-back",
}


def project_status_data(
    where: str, runs: Sequence[RunStatus], rules: Sequence[str], total: int
) -> dict[str, Any]:
    """Return the content of ``project_status_text`` as data."""
    return {
        "project": where,
        "total": total,
        "rules": list(rules),
        "runs": [_run_data(run) for run in runs],
    }


def _run_data(run: RunStatus) -> dict[str, Any]:
    counts = {"reproduced": run.reproduced, "attempted": run.attempted}
    return {**run.model_dump(mode="json"), **counts}
