"""Answers to the public API's read queries, out of openwandb's own database.

openwandb 0.5.23 takes what the SDK sends and lacks the types that ``wandb.Api`` of 0.31 asks
for. Each answer holds what the server really stored; a run that is not there is null.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from tests.support import bridge_shapes as shapes
from tests.support.bridge_shapes import EVERYTHING, Database, Row
from tests.support.run_filter import matches, value_at

__all__ = ["ANSWERS", "Query"]

HEAVY_FIELDS = ("config", "summaryMetrics", "systemMetrics", "historyKeys")
"""What W&B leaves out of a run in the lightweight listing."""


@dataclass(frozen=True)
class Query:
    """One GraphQL request."""

    database: Database
    base_url: str
    text: str
    variables: Mapping[str, Any]

    def project(self) -> Row | None:
        """Return the project asked for.

        NOTE: openwandb's own resolver creates a project when one is read; this one does not.
        """
        return self.database.get_project(self.variables["entity"], self.variables["project"])

    def run(self) -> Row | None:
        """Return the run asked for, if the project asked for holds it.

        NOTE: run ids are global in openwandb: ``get_run`` alone finds it under any project.
        """
        project = self.project()
        row = self.database.get_run(self.variables["name"])
        return row if project and row and row["project_id"] == project["id"] else None

    def light(self, node: dict[str, Any]) -> dict[str, Any]:
        """Return a run without its heavy fields, where the query has the lightweight fragment."""
        heavy = HEAVY_FIELDS if "LightweightRunFragment" in self.text else ()
        return {key: value for key, value in node.items() if key not in heavy}


def answer_run(query: Query) -> dict[str, Any]:
    """Answer ``Run``, ``RunState`` and ``RunHistoryKeys``: one run's fields."""
    row = query.run()
    return _of_run(query, row and query.light(shapes.run_node(query.database, row)))


def answer_runs(query: Query) -> dict[str, Any]:
    """Answer ``Runs``: a page of a project's runs, filtered and ordered."""
    project = query.project()
    if project is None:
        return {"project": None}
    asked = query.variables
    rows = query.database.list_runs(project["id"], limit=EVERYTHING)
    runs = _chosen([shapes.run_node(query.database, row) for row in rows], asked)
    page = shapes.page(
        [query.light(run) for run in runs], asked.get("cursor"), asked.get("perPage")
    )
    fields = {"internalId": project["id"], "readOnly": False, "runCount": len(runs), "runs": page}
    return {"project": fields}


def answer_files(query: Query) -> dict[str, Any]:
    """Answer ``RunFiles``: a page of a run's files, by names or by a LIKE pattern."""
    row = query.run()
    if row is None:
        return _of_run(query, None)
    asked = query.variables
    rows = query.database.list_files(row["run_id"])
    nodes = [
        shapes.file_node(query.base_url, asked["entity"], asked["project"], file)
        for file in rows
        if _is_asked(file["name"], asked.get("fileNames"), asked.get("pattern"))
    ]
    page = shapes.page(nodes, asked.get("fileCursor"), asked.get("fileLimit"))
    return _of_run(query, {"fileCount": len(rows), "files": page})


def answer_history(query: Query) -> dict[str, Any]:
    """Answer ``RunFullHistory``: every row of numbers that was logged, as JSON lines."""
    row = query.run()
    if row is None:
        return _of_run(query, None)
    lines = [json.dumps(line) for line in shapes.history(query.database, row).values()]
    return _of_run(query, {"history": lines})


def answer_history_page(query: Query) -> dict[str, Any]:
    """Answer ``HistoryPage``: the rows of a range of steps, as the SDK sent them; a sample if more.

    NOTE: openwandb's database has only numbers, and they are rounded; its file has every row.
    """
    row = query.run()
    if row is None:
        return _of_run(query, None)
    asked = query.variables
    lines = [
        line
        for line in shapes.history_lines(asked["entity"], asked["project"], row["run_id"])
        if asked["minStep"] <= json.loads(line)["_step"] < asked["maxStep"]
    ]
    every = -(-len(lines) // asked["pageSize"]) or 1
    return _of_run(query, {"history": lines[::every]})


def answer_sampled_history(query: Query) -> dict[str, Any]:
    """Answer ``RunSampledHistory``: the rows that hold all keys asked for, none dropped."""
    row = query.run()
    if row is None:
        return _of_run(query, None)
    lines = shapes.history(query.database, row).values()
    sampled = [
        [{key: line[key] for key in keys} for line in lines if all(key in line for key in keys)]
        for keys in (json.loads(spec)["keys"] for spec in query.variables["specs"])
    ]
    return _of_run(query, {"sampledHistory": sampled})


def answer_probe(query: Query) -> dict[str, Any]:
    """Answer ``ProbeRunInput``: which of a run's newer fields there are (asked by wandb 0.19)."""
    del query
    return {"RunType": {"fields": [{"name": "projectId"}]}}


ANSWERS: dict[str, Callable[[Query], dict[str, Any]]] = {
    "ProbeRunInput": answer_probe,
    "Run": answer_run,
    "RunState": answer_run,
    "RunHistoryKeys": answer_run,
    "Runs": answer_runs,
    "RunFiles": answer_files,
    "HistoryPage": answer_history_page,
    "RunFullHistory": answer_history,
    "RunSampledHistory": answer_sampled_history,
}
"""By the name of the operation, as wandb 0.19 to 0.31 send it."""


def _of_run(query: Query, fields: Mapping[str, Any] | None) -> dict[str, Any]:
    project = query.project()
    return {"project": project and {"internalId": project["id"], "run": fields}}


def _chosen(runs: list[dict[str, Any]], asked: Mapping[str, Any]) -> list[dict[str, Any]]:
    filters = json.loads(asked.get("filters") or "{}")
    order = asked.get("order") or "+created_at"
    return sorted(
        (run for run in runs if matches(shapes.filterable(run), filters)),
        key=lambda run: value_at(shapes.filterable(run), order.lstrip("+-")),
        reverse=order.startswith("-"),
    )


def _is_asked(name: str, names: list[str] | None, pattern: str | None) -> bool:
    if names and name not in names:
        return False
    parts = {"%": ".*", "_": "."}
    like = "".join(parts.get(letter, re.escape(letter)) for letter in pattern or "%")
    return re.fullmatch(like, name, re.DOTALL) is not None
