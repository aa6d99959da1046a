"""A plan as text: what a rerun will do, for the user to confirm."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import TypeAlias

from rich.console import RenderableType

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.packages import Distribution, Interpreter, Repacked
from wandb_repro.report.layout import blank, heading, page, rows
from wandb_repro.report.text import count
from wandb_repro.rerun.cells import PlannedCells
from wandb_repro.rerun.environment.build import notes_on
from wandb_repro.rerun.environment.compare import Inequality
from wandb_repro.rerun.environment.dependencies import Needed
from wandb_repro.rerun.environment.interpreter import FoundPython
from wandb_repro.rerun.environment.select import Choice
from wandb_repro.rerun.looking import NOT_LOOKED_AT
from wandb_repro.rerun.plan import Plan
from wandb_repro.rerun.restore_extra import added_of
from wandb_repro.verify.segment import Segment

_MOST = 5
_MOST_CELLS = 50
_MOST_FILES = 20

Rows: TypeAlias = Iterator[tuple[str, str]]


def plan_text(
    name: str,
    plan: Plan,
    choice: Choice,
    *,
    recorded_by: str,
    sets: Mapping[str, str],
    begins: str = "",
) -> RenderableType:
    """Return what will be restored, started and set, and where everything comes from.

    Args:
        name: of the run.
        plan: what will be done.
        choice: the environment.
        recorded_by: who recorded the run, as W&B reports it. The record could claim anything.
        sets: environment variables that the rerun changes.
        begins: where a replay begins, from ``begins_with``.
    """
    return page(
        heading("rerun", name),
        rows([("recorded by", recorded_by), ("begins", begins), *_rows(plan, choice, sets)]),
        blank(),
        heading("This runs the recorded code on this machine with your permissions."),
    )


def begins_with(segment: Segment | None) -> str:
    """Return in words where a replay begins and ends; empty for the whole training."""
    if segment is None:
        return ""
    of_fit = f" of fit {segment.fit}" if segment.fit > 1 else ""
    until = f"up to epoch {segment.until}" if segment.until is not None else "up to the end"
    start = f"after epoch {segment.after}{of_fit}" if segment.after else f"at the start{of_fit}"
    last = segment.beginnings[-1]
    skipped = "".join(
        f"; fit {beginning.fit} is skipped, using {beginning.checkpoint}"
        for beginning in segment.beginnings
        if beginning.is_over
    )
    checkpoint = "" if last.is_over else f", from {last.checkpoint}"
    return f"{start}, {until}{checkpoint}{skipped}"


def _rows(plan: Plan, choice: Choice, sets: Mapping[str, str]) -> Rows:
    parts, inequalities = plan.parts, choice.inequalities
    yield "command", shlex.join(["python", *plan.arguments])
    yield "in folder", _folder(plan)
    earlier = len(plan.manifest.execution.earlier_seeds)
    if earlier:
        yield "before it", f"{count(earlier, 'run')} of the same process, repeated first"
    if plan.cells is not None:
        yield from _cells(plan.cells)
    yield "code", f"tree {parts.code.tree} ({count(parts.code.files, 'file')})"
    if added := added_of(parts.code):
        files = count(len(added.files), "file")
        yield "extra files", f"tree {added.tree} ({files} that the original used)"
    yield "environment", choice.reason
    yield "interpreter", interpreter_line(parts.packages.interpreter, choice.base)
    if choice.needed is not None:
        yield from _origins(choice.needed)
    for inequality in inequalities[:_MOST]:
        yield "not equal", inequality_sentence(inequality)
    if len(inequalities) > _MOST:
        yield "", f"and {len(inequalities) - _MOST} more packages"
    yield "sets", " ".join(f"{name}={shlex.quote(sets[name])}" for name in sorted(sets))
    inputs = plan.inputs
    data = [f"{file.name}: {file.target}{_STATES[file.state]}" for file in inputs.data.found]
    yield from _several("data", data)
    yield from _several("reads", [f"{link.target} as {link.place}" for link in inputs.links])
    yield from _several("missing", inputs.missing)
    changed = [f"{path} differs from what the original read" for path in inputs.changed]
    yield from _several("changed", changed)
    yield from _several("not looked at", inputs.not_looked_at)
    yield "writes to", f"{plan.work} (the script may write elsewhere)"


_STATES = {
    "same": ", as recorded",
    "not told": ", not compared: its bytes were not recorded",
    "downloaded": " is not here; the script downloads it again",
    "missing": " is not here",
    "changed": " differs from the original",
    NOT_LOOKED_AT: " is not looked at before the rerun is confirmed",
    "later": ", from the restored tree or its artifact",
}


def interpreter_line(wanted: Interpreter, base: FoundPython | None) -> str:
    """Return which Python the environment is rebuilt with; empty if it is not rebuilt."""
    if base is None:
        return ""
    notes = notes_on(wanted, base)
    return notes[0] if notes else f"Python {base.version}, the same build"


def _cells(planned: PlannedCells) -> Iterator[tuple[str, str]]:
    cells = planned.cells.cells
    yield "notebook", count(len(cells), "cell")
    for number, cell in enumerate(cells[:_MOST_CELLS], start=1):
        yield f"cell {number}", first_line(cell.source)
    if len(cells) > _MOST_CELLS:
        yield "", f"and {len(cells) - _MOST_CELLS} more cells"
    for line in planned.commands:
        yield "runs", line
    for line in planned.held_back:
        yield "held back", f"{line} (the environment is rebuilt as it was at the end)"
    if planned.values:
        yield "given", f"credentials for cell {', '.join(map(str, sorted(planned.values)))}"


def first_line(source: str) -> str:
    """Return the first line of a cell that is not blank, and ``...`` if more follow."""
    lines = [line.strip() for line in source.split("\n") if line.strip()] or [""]
    return f"{lines[0]} ..." if len(lines) > 1 else lines[0]


def _folder(plan: Plan) -> str:
    recorded = plan.parts.command.working_directory
    if not recorded.startswith("/"):
        return str(plan.cwd)
    return f"{plan.cwd}, in place of {recorded}"


def _several(name: str, values: Sequence[str]) -> Rows:
    """Yield a row for each value, up to a limit: a record may hold ten thousand."""
    for value in values[:_MOST_FILES]:
        yield name, value
    if len(values) > _MOST_FILES:
        yield name, f"and {count(len(values) - _MOST_FILES, 'file')} more"


def _origins(needed: Needed) -> Rows:
    packages = needed.packages.distributions
    packed = [package for package in packages if isinstance(package.repacked, Repacked)]
    unavailable = [package.name for package in packages if _is_lost(package)]
    index = len(packages) - len(packed) - len(unavailable)
    yield "packages", f"{index} from your package indexes, {len(packed)} from the capsule"
    from_capsule = [f"{package.name} {package.version} ({package.origin})" for package in packed]
    yield "from capsule", ", ".join(from_capsule)
    yield "unavailable", ", ".join(unavailable)
    if of_conda := [package.name for package in packages if package.installer == "conda"]:
        yield (
            "from conda",
            f"{_first(of_conda)}: installed from a package index, whose builds differ from "
            "conda's; --env here uses this environment's",
        )
    if skipped := needed.left_out:
        names = _first(skipped)
        yield "left out", f"{count(len(skipped), 'package')} that the run did not load: {names}"


def _first(names: Sequence[str]) -> str:
    return ", ".join(names[:_MOST]) + (" ..." if len(names) > _MOST else "")


def _is_lost(package: Distribution) -> bool:
    return isinstance(package.repacked, Unavailable) and package.origin != "index"


def inequality_sentence(inequality: Inequality) -> str:
    """Return a difference between two environments in words."""
    name, original, copy = inequality.name, inequality.original, inequality.copy
    match inequality.what:
        case "missing":
            return f"{name} {original} is missing"
        case "extra":
            return f"{name} {copy} was not in the original"
        case "content":
            return f"the files of {name} differ"
        case "edited" if original:
            return f"{name} was edited by hand in the original ({original})"
        case "edited":
            return f"{name} was edited by hand ({copy})"
        case "unknown":
            return f"the files of {name} cannot be compared"
        case "version":
            return f"{name} is {copy}; the original had {original}"
