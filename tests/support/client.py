"""Clients of the test server: the real wandb SDK, each in a process of its own."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tests.support.server import WandbServer

__all__ = ["put_file", "record_run", "run_client"]

CLIENT_TIMEOUT_S = 90.0

RECORD = """
import json, pathlib, sys, wandb
told = json.loads(sys.argv[1])
run = wandb.init(dir=".", settings=wandb.Settings(init_timeout=30, console="off"), **told["init"])
for name in told["files"]:
    path = pathlib.Path(run.dir, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(pathlib.Path("upload", name).read_bytes())
    run.save(str(path), base_path=run.dir, policy="now")
for step in range(told["steps"]):
    run.log({"loss": 1.0 / (step + 1)})
run.summary.update(told["summary"])
run.finish()
"""
"""Takes its files from the folder ``upload`` beside it, since bytes do not fit in arguments."""


def run_client(
    server: WandbServer, folder: Path, *arguments: str, **variables: str
) -> subprocess.CompletedProcess[str]:
    """Run Python as a client of the server: arguments, such as ``-c CODE``, and variables on top.

    Raises:
        subprocess.TimeoutExpired: it took longer than 90 s.
    """
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env={**os.environ, **server.environment(), **variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=CLIENT_TIMEOUT_S,
        check=False,
    )


def record_run(
    server: WandbServer,
    folder: Path,
    run: str,
    *,
    files: Mapping[str, bytes],
    config: Mapping[str, Any] | None = None,
    summary: Mapping[str, Any] | None = None,
    steps: int = 0,
    mode: str = "online",
) -> None:
    """Record a run with the real SDK, its files saved with ``base_path=run.dir``.

    Args:
        run: ``ENTITY/PROJECT/ID``.
        folder: where it runs; an offline run stays there, under ``wandb/``.
        steps: how many rows with a ``loss`` it logs.
        mode: ``online`` or ``offline``.
    """
    for name, content in files.items():
        path = folder / "upload" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    entity, project, run_id = run.split("/")
    told = {
        "init": {"entity": entity, "project": project, "id": run_id, "config": config or {}},
        "files": list(files),
        "summary": summary or {},
        "steps": steps,
    }
    done = run_client(server, folder, "-c", RECORD, json.dumps(told), WANDB_MODE=mode)
    assert done.returncode == 0, done.stderr


def put_file(server: WandbServer, run: str, name: str, content: bytes) -> None:
    """Put a file on a run that is there, past the SDK: what a changed client could do."""
    request = urllib.request.Request(  # noqa: S310 - an http address of our own server
        f"{server.base_url}/files/{run}/{quote(name)}", data=content, method="PUT"
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=30) as response:
        assert response.status == 200
