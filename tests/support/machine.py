"""Somebody's machine: a home and caches of its own, and processes that use the test server."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
import time
import urllib.request
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.support.server import WandbServer
from wandb_repro.capture.guard import STRICT_VARIABLE
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import read_manifest

__all__ = ["Done", "Machine", "Stored", "a_project", "only_run"]

TIMEOUT_S = 180.0
_OF_ANYBODY = ("PATH", "PYTHONPATH", "LANG", "TMPDIR", STRICT_VARIABLE)


@dataclass(frozen=True)
class Done:
    """A process that has ended."""

    code: int
    out: str
    err: str
    elapsed_s: float

    @property
    def said(self) -> str:
        """Both outputs, each run of white space one space: a long line may be wrapped."""
        return " ".join(f"{self.out} {self.err}".split())

    @property
    def data(self) -> Any:
        """What ``--json`` printed."""
        return json.loads(self.out)


@dataclass(frozen=True)
class Machine:
    """A machine that knows nothing of any other."""

    server: WandbServer
    folder: Path

    @property
    def work(self) -> Path:
        """The folder that its commands are started in."""
        path = self.folder / "work"
        path.mkdir(parents=True, exist_ok=True)
        return path

    def start(
        self, *arguments: str, cwd: Path | None = None, **variables: str
    ) -> subprocess.Popen[str]:
        """Start this Python with arguments; variables come on top, an empty one is unset."""
        return subprocess.Popen(
            [sys.executable, *arguments],
            cwd=cwd or self.work,
            env=self._environment(variables),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def run(self, *arguments: str, cwd: Path | None = None, **variables: str) -> Done:
        """Start this Python with arguments and wait for its end.

        Raises:
            subprocess.TimeoutExpired: it took longer than three minutes.
        """
        return ended(self.start(*arguments, cwd=cwd, **variables))

    def repro(self, *arguments: str, cwd: Path | None = None, **variables: str) -> Done:
        """Run ``wandb-repro``."""
        return self.run("-m", "wandb_repro", *arguments, cwd=cwd, **variables)

    def _environment(self, variables: Mapping[str, str]) -> dict[str, str]:
        home = self.folder / "home"
        home.mkdir(parents=True, exist_ok=True)
        environment = {
            **{name: os.environ[name] for name in _OF_ANYBODY if name in os.environ},
            **self.server.environment(),
            "HOME": str(home),
            "NETRC": str(home / "netrc"),
            "WANDB_CACHE_DIR": str(home / "cache"),
            "WANDB_CONFIG_DIR": str(home / "config"),
            "WANDB_DATA_DIR": str(home / "data"),
            "XDG_CACHE_HOME": str(home / "xdg"),
            "TF_CPP_MIN_LOG_LEVEL": "3",
            "CUDA_VISIBLE_DEVICES": "",
            **variables,
        }
        return {name: value for name, value in environment.items() if value}


def ended(process: subprocess.Popen[str]) -> Done:
    """Wait for the end of a process.

    Raises:
        subprocess.TimeoutExpired: it took longer than three minutes; it was killed.
    """
    started = time.monotonic()
    try:
        out, err = process.communicate(timeout=TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    return Done(process.returncode, out, err, time.monotonic() - started)


def a_project(folder: Path, script: str, untracked: Mapping[str, str]) -> Path:
    """Make a git repository with a committed ``train.py`` and files that are not committed."""
    folder.mkdir(parents=True)
    (folder / "train.py").write_text(textwrap.dedent(script))
    _git(folder, "init", "-q")
    _git(folder, "add", "train.py")
    _git(folder, "-c", "user.name=A", "-c", "user.email=a@example.org", "commit", "-qm", "Train")
    for name, text in untracked.items():
        (folder / name).write_text(text)
    return folder


def _git(folder: Path, *arguments: str) -> None:
    subprocess.run(["git", *arguments], cwd=folder, check=True, timeout=60)


def only_run(folder: Path) -> Path:
    """Return the folder of the one W&B run that a process left in ``folder/wandb``."""
    (found,) = (path for path in (folder / "wandb").glob("*run-*-*") if not path.is_symlink())
    return found


@dataclass(frozen=True)
class Stored:
    """A run as the server holds it."""

    server: WandbServer
    path: str
    """``ENTITY/PROJECT/ID``."""

    @property
    def id(self) -> str:
        """Its id."""
        return self.path.rpartition("/")[2]

    @property
    def row(self) -> dict[str, Any]:
        """Its row in the server's database."""
        return self._get(f"/api/v2/runs/{self.id}")["run"]

    @property
    def config(self) -> dict[str, Any]:
        """Its config, without W&B's own entry."""
        told: dict[str, Any] = json.loads(self.row["config_json"])
        return {name: entry["value"] for name, entry in told.items() if name != "_wandb"}

    @property
    def summary(self) -> dict[str, Any]:
        """Its summary."""
        return json.loads(self.row["summary_json"])

    @property
    def artifacts(self) -> list[tuple[str, str]]:
        """Type and name of each artifact that it logged."""
        rows: Sequence[Any] = self._get(f"/api/v2/runs/{self.id}/artifacts")["artifacts"]
        return sorted((row["artifact_type"], row["name"]) for row in rows)

    @property
    def history(self) -> list[dict[str, Any]]:
        """Its rows, without the times."""
        lines = self.file("wandb-history.jsonl").read_text().splitlines()
        rows: list[dict[str, Any]] = [json.loads(line) for line in lines]
        times = ("_timestamp", "_runtime")
        return [{key: row[key] for key in sorted(row) if key not in times} for row in rows]

    @property
    def capsule(self) -> Capsule:
        """Its capsule, where the server keeps its files."""
        return Capsule(self.file("repro"))

    @property
    def manifest(self) -> Manifest:
        """Its manifest."""
        return read_manifest(self.capsule)

    def file(self, name: str) -> Path:
        """Return where the server keeps a file of it."""
        return self.server.file_path(self.path, name)

    def _get(self, path: str) -> Any:
        opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with opener.open(self.server.base_url + path, timeout=30) as response:
            return json.load(response)
