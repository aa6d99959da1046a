"""Many runs on the test server at once: recorded ones of which no training was waited for.

What a run of W&B would have sent is made by our own code from a record, and written by openwandb's
own functions. Started by itself as ``python -m tests.support.stored_runs DATA_DIR FOLDER``.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from tests.support.records import lines_of
from tests.support.server import REPOSITORY, WandbServer
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.recording.publish import publish_config
from wandb_repro.recording.wandb_run import CONFIG_KEY, Run

__all__ = ["SentRun", "send"]

ENTITY = "default"
OWNER = 1
"""The user that openwandb makes by itself; W&B lists no run without one."""


@dataclass(frozen=True)
class SentRun:
    """A run as it was sent."""

    id: str
    manifest: Manifest | None
    """None: it was not recorded by us."""
    trail: Trail | None = None
    summary: Mapping[str, str] = field(default_factory=dict[str, str])
    files: Mapping[str, bytes] = field(default_factory=dict[str, bytes])
    """More files, or others in the place of the record's, by their names."""


class _Config(dict[str, Any]):
    """A run's config."""

    def update(self, values: Mapping[str, Any], *, allow_val_change: bool) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]  # as W&B's
        assert allow_val_change
        super().update(values)


class _OfARun:
    """A run that has nothing but a config."""

    def __init__(self) -> None:
        self.config = _Config()


def _columns(manifest: Manifest) -> dict[str, Any]:
    run = _OfARun()
    publish_config(cast("Run", run), manifest)
    return {CONFIG_KEY: {"value": run.config[CONFIG_KEY]}}


def send(server: WandbServer, project: str, runs: Iterable[SentRun], folder: Path) -> None:
    """Put runs into a project, in their order; a run's id is its own in the whole server.

    Args:
        server: that holds them afterwards.
        project: made where it is missing.
        runs: what they hold.
        folder: an empty one, to hand them over in.
    """
    for place, run in enumerate(runs):
        where = folder / f"{place:05d}-{run.id}"
        files = {**_files(run), **run.files}
        for name, content in files.items():
            path = where / "files" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        config = _columns(run.manifest) if run.manifest else {}
        row = {"id": run.id, "project": project, "config": config, "summary": dict(run.summary)}
        where.mkdir(parents=True, exist_ok=True)
        (where / "row.json").write_text(json.dumps(row))
    subprocess.run(
        [sys.executable, "-m", "tests.support.stored_runs", str(server.data_dir), str(folder)],
        cwd=REPOSITORY,
        check=True,
        timeout=120,
    )


def _files(run: SentRun) -> dict[str, bytes]:
    if run.manifest is None:
        return {}
    files = {"repro/manifest.json": run.manifest.to_bytes()}
    if run.trail is not None:
        files["repro/trail.jsonl"] = b"".join(lines_of(run.trail.records))
    return files


def _write(folder: Path) -> None:
    database: Any = importlib.import_module("openwandb.database")
    storage: Any = importlib.import_module("openwandb.storage")
    for where in sorted(folder.iterdir()):
        row = json.loads((where / "row.json").read_text())
        run_id, project = row["id"], row["project"]
        found = database.get_or_create_project(ENTITY, project)
        database.upsert_run(
            found["id"], run_id, config=row["config"], state="finished", owner_id=OWNER
        )
        database.update_run_summary(run_id, row["summary"])
        for path in sorted(path for path in (where / "files").rglob("*") if path.is_file()):
            name = path.relative_to(where / "files").as_posix()
            info = storage.save_file(ENTITY, project, run_id, name, path.read_bytes())
            database.register_file(run_id, name, info["path"], info["size"], info["md5"])


if __name__ == "__main__":
    os.environ["OPENWANDB_DATA_DIR"] = sys.argv[1]  # read when openwandb is imported
    _write(Path(sys.argv[2]))
