"""openwandb's rows in the shapes of W&B's GraphQL.

What the server does not store (group, job type) is null, never made up. The commit is that of the
metadata file, which the server keeps: the SDK sends the same to W&B.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from sqlite3 import Connection
from typing import Any, Protocol
from urllib.parse import quote

__all__ = [
    "EVERYTHING",
    "Database",
    "Row",
    "file_node",
    "filterable",
    "history",
    "history_lines",
    "page",
    "run_node",
]

Row = Mapping[str, Any]

EVERYTHING = 1_000_000


class Database(Protocol):
    """The functions of ``openwandb.database`` that are read here."""

    def get_project(self, team_name: str, project_name: str, /) -> Row | None: ...
    def get_run(self, run_id: str, /) -> Row | None: ...
    def list_runs(self, project_id: int, *, limit: int) -> Sequence[Row]: ...
    def list_files(self, run_id: str, /) -> Sequence[Row]: ...
    def get_metrics(self, run_id: str, *, limit: int) -> Sequence[Row]: ...
    def get_db(self) -> AbstractContextManager[Connection]: ...
    def get_user_by_id(self, user_id: int, /) -> Row | None: ...


def run_node(database: Database, row: Row) -> dict[str, Any]:
    """Return a run, with all fields that the public API's fragments name."""
    lines = history(database, row)
    user = database.get_user_by_id(row["owner_id"]) if row["owner_id"] else None
    return {
        "id": str(row["id"]),
        "projectId": row["project_id"],
        "name": row["run_id"],
        "displayName": row["display_name"],
        "state": row["state"],
        "config": row["config_json"],
        "summaryMetrics": row["summary_json"],
        "systemMetrics": "{}",
        "tags": json.loads(row["tags_json"]),
        "notes": row["notes"],
        "description": None,
        "group": None,
        "jobType": None,
        "commit": _commit(row["run_id"]),
        "sweepName": None,
        "readOnly": False,
        "createdAt": row["created_at"],
        "heartbeatAt": row["heartbeat_at"],
        "historyLineCount": len(lines),
        "historyKeys": {"lastStep": max(lines, default=-1)},
        "user": {"name": user["display_name"], "username": user["username"]} if user else None,
    }


def _commit(run_id: str) -> str | None:
    from openwandb.config import FILES_DIR  # pyright: ignore[reportMissingTypeStubs]

    for file in Path(FILES_DIR).glob(f"*/*/{run_id}/wandb-metadata.json"):
        return json.loads(file.read_bytes()).get("git", {}).get("commit")
    return None


def filterable(node: Mapping[str, Any]) -> dict[str, Any]:
    """Return a run with its config and summary as objects."""
    parsed = {key: json.loads(node[key]) for key in ("config", "summaryMetrics")}
    return {**node, **parsed}


def file_node(base_url: str, entity: str, project: str, file: Row) -> dict[str, Any]:
    """Return a file of a run, with the address that it is read from."""
    where = [entity, project, file["run_id"], file["name"]]
    url = "/".join([base_url, "files", *(quote(part) for part in where)])
    return {
        "id": str(file["id"]),
        "name": file["name"],
        "url": url,
        "directUrl": url,
        "sizeBytes": file["size"],
        "mimetype": None,
        "updatedAt": file["created_at"],
        "md5": file["md5"],
    }


def history(database: Database, row: Row) -> dict[int, dict[str, Any]]:
    """Return a run's logged numbers by step, in order."""
    lines: dict[int, dict[str, Any]] = {}
    for metric in database.get_metrics(row["run_id"], limit=EVERYTHING):
        line = lines.setdefault(metric["step"], {"_step": metric["step"]})
        line[metric["key"]] = metric["value"]
    return dict(sorted(lines.items()))


def history_lines(entity: str, project: str, run_id: str) -> list[str]:
    """Return a run's rows as JSON, as the SDK sent them."""
    from openwandb.config import FILES_DIR  # pyright: ignore[reportMissingTypeStubs]

    path = Path(FILES_DIR) / entity / project / run_id / "wandb-history.jsonl"
    return path.read_text().splitlines() if path.is_file() else []


def page(nodes: Sequence[Any], after: str | None, first: int | None) -> dict[str, Any]:
    """Return a page of nodes; a cursor is how many came before."""
    start = int(after or 0)
    end = start + (first or 50)
    edges = [
        {"node": node, "cursor": str(place)}
        for place, node in enumerate(nodes[start:end], start=start + 1)
    ]
    more = {"endCursor": str(end), "hasNextPage": end < len(nodes)}
    return {"edges": edges, "pageInfo": more}
