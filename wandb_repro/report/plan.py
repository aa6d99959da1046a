"""A plan as text: what a rerun is going to do, for the person who must agree to it."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from rich.console import RenderableType

from wandb_repro.manifest.base import Unavailable
from wandb_repro.report.layout import blank, heading, page, rows
from wandb_repro.report.words import count
from wandb_repro.rerun.cells import PlannedCells
from wandb_repro.rerun.choice import Choice
from wandb_repro.rerun.environment import Inequality
from wandb_repro.rerun.plan import Plan

__all__ = ["first_line", "inequality_sentence", "plan_text"]

_MOST = 5
_MOST_CELLS = 50


def plan_text(name: str, plan: Plan, choice: Choice) -> RenderableType:
    """Return what will be restored, started and set, and where everything comes from."""
    return page(
        heading("rerun", name),
        rows(_rows(plan, choice)),
        blank(),
        heading("This runs the recorded code on this machine, with your rights."),
    )


def _rows(plan: Plan, choice: Choice) -> Iterator[tuple[str, str]]:
    inequalities = choice.inequalities
    parts, run = plan.parts, plan.manifest.run
    yield "page", run.url if isinstance(run.url, str) else "recorded offline"
    yield "command", shlex.join(["python", *plan.arguments])
    yield "in folder", _folder(plan)
    if plan.cells is not None:
        yield from _cells(plan.cells)
    yield "code", f"tree {parts.code.tree} ({count(parts.code.files, 'file')})"
    yield "environment", choice.reason
    yield "packages", "" if choice.python else _origins(plan)
    for inequality in inequalities[:_MOST]:
        yield "not equal", inequality_sentence(inequality)
    if len(inequalities) > _MOST:
        yield "", f"and {len(inequalities) - _MOST} packages more"
    yield "sets", " ".join(f"{name}={value}" for name, value in sorted(plan.switches.items()))
    for link in plan.inputs.links:
        yield "reads", f"{link.target} as {link.place}"
    for missing in plan.inputs.missing:
        yield "missing", missing
    yield "writes to", f"{plan.work} (the script may write elsewhere)"


def _cells(planned: PlannedCells) -> Iterator[tuple[str, str]]:
    cells = planned.cells.cells
    yield "notebook", count(len(cells), "cell")
    for number, cell in enumerate(cells[:_MOST_CELLS], start=1):
        yield f"cell {number}", first_line(cell.source)
    if len(cells) > _MOST_CELLS:
        yield "", f"and {len(cells) - _MOST_CELLS} cells more"
    for line in planned.commands:
        yield "runs", line
    for line in planned.held_back:
        yield "held back", f"{line} (the environment is rebuilt as it was at the end)"
    if planned.values:
        yield "given", f"credentials for cell {', '.join(map(str, sorted(planned.values)))}"


def first_line(source: str) -> str:
    """Return the first line of a cell that says something, and whether more follow."""
    lines = [line.strip() for line in source.split("\n") if line.strip()] or [""]
    return f"{lines[0]} ..." if len(lines) > 1 else lines[0]


def _folder(plan: Plan) -> str:
    recorded = plan.parts.command.working_directory
    if not recorded.startswith("/") or str(plan.cwd) == recorded:
        return str(plan.cwd)
    return f"{plan.cwd}, empty at first: {recorded} is not here"


def _origins(plan: Plan) -> str:
    found = plan.parts.packages.distributions
    own = [one for one in found if one.repacked is not None]
    lost = [one.name for one in own if isinstance(one.repacked, Unavailable)]
    text = f"{len(found) - len(own)} from your index, {len(own) - len(lost)} from the capsule"
    return f"{text}, not to be had: {', '.join(lost)}" if lost else text


def inequality_sentence(inequality: Inequality) -> str:
    """Return what is not the same, in words."""
    match inequality.what:
        case "missing":
            return f"{inequality.name} {inequality.original} is not there"
        case "extra":
            return f"{inequality.name} {inequality.copy} is there and was not in the original"
        case "content":
            return f"{inequality.name} has another content"
        case "unknown":
            return f"the content of {inequality.name} cannot be compared"
        case "version":
            return f"{inequality.name} is {inequality.copy}; the original had {inequality.original}"
