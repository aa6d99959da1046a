"""A plan as data: what ``rerun --dry-run --json`` prints."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wandb_repro.report.plan import inequality_sentence, interpreter_line
from wandb_repro.rerun.environment.select import Choice
from wandb_repro.rerun.plan import Plan


def plan_data(
    name: str, plan: Plan, choice: Choice, *, recorded_by: str, sets: Mapping[str, str], begins: str
) -> dict[str, Any]:
    """Return the content of ``plan_text`` as data."""
    inputs, packages = plan.inputs, plan.parts.packages
    return {
        "run": name,
        "arguments": list(plan.arguments),
        "cwd": str(plan.cwd),
        "tree": plan.parts.code.tree,
        "work": str(plan.work),
        "environment": choice.reason,
        "interpreter": interpreter_line(packages.interpreter, choice.base),
        "left_out": list(choice.needed.left_out) if choice.needed else [],
        "not_equal": [inequality_sentence(unequal) for unequal in choice.inequalities],
        "recorded_by": recorded_by,
        "sets": dict(sets),
        "begins": begins,
        "packages": {
            package.name: "index" if package.repacked is None else package.origin
            for package in packages.distributions
        },
        "links": {link.place: link.target for link in inputs.links},
        "missing": list(inputs.missing),
        "changed": list(inputs.changed),
        "not_looked_at": list(inputs.not_looked_at),
        "data": {
            source.name: {"path": source.target, "state": source.state}
            for source in inputs.data.found
        },
        "python_path": list(map(str, plan.python_path)),
        **_cells(plan),
    }


def _cells(plan: Plan) -> dict[str, Any]:
    if plan.cells is None:
        return {}
    return {
        "cells": [cell.source for cell in plan.cells.cells.cells],
        "commands": list(plan.cells.commands),
        "held_back": list(plan.cells.held_back),
    }
