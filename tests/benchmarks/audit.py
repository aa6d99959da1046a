"""What ``audit`` takes for 200 runs on a server of this machine."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from tests.support.many_packages import many_packages
from tests.support.records import moment, rerun_manifest, trail
from tests.support.server import WandbServer, running_server
from tests.support.stored_runs import SentRun, send

_RUNS = 200
_PACKAGES = 345
_EPOCHS = 20


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name:
        folder = Path(name)
        with closing(running_server(folder)) as servers:
            server = next(servers)
            (folder / "runs").mkdir()
            send(server, "many", list(_runs(_RUNS)), folder / "runs")
            (folder / "one").mkdir()
            send(server, "one", list(_runs(1, "single")), folder / "one")
            one, many = (_audited(server, project, folder) for project in ("one", "many"))
    yield f"audit of 1 run {one:.1f} s, of {_RUNS} runs {many:.1f} s   (budget 10)"


def _runs(number: int, name: str = "run") -> Iterator[SentRun]:
    epochs = trail([moment(epoch=epoch, step=9 * epoch) for epoch in range(1, _EPOCHS + 1)])
    for place in range(number):
        own = rerun_manifest({"run.id": f"{name}{place:05d}"})
        yield SentRun(f"{name}{place:05d}", many_packages(own, _PACKAGES), epochs)


def _audited(server: WandbServer, project: str, folder: Path) -> float:
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "wandb_repro", "audit", f"default/{project}", "--json"],
        env={**os.environ, **server.environment()},
        cwd=folder,
        stdout=subprocess.PIPE,
        check=True,
    )
    took = time.perf_counter() - started
    runs = json.loads(done.stdout)["runs"]
    assert runs
    assert not any(run["unread"] for run in runs)
    return took
