"""Publishes a record to W&B: a nested config entry, summary strings, the capsule's files.

Nothing is logged to the history: a step of ours would make W&B drop the user's ``step=0``.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Literal, TypeAlias

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code, GitState
from wandb_repro.manifest.data import Dataset
from wandb_repro.manifest.machine import Accelerator, Framework, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.recording.messages import harmless
from wandb_repro.recording.wandb_run import CONFIG_KEY, Run
from wandb_repro.store.capsule import Capsule

Columns: TypeAlias = dict[str, str | bool | int]

_SHORT = 12
_FILES = "the record's files on W&B"
_GROWING = "*.[jh]*"
"""JSON and HTML: files that change until the run ends."""


def publish_config(run: Run, manifest: Manifest, there: Columns | None = None) -> Columns:
    """Put the scalars for filtering and comparing runs into the run's config.

    ``there`` are the columns already in the config; returns those that are in it now.
    """
    columns = _columns(manifest)
    if columns != there:  # an update takes milliseconds
        run.config.update({CONFIG_KEY: columns}, allow_val_change=True)
    return columns


def publish_summary(run: Run, values: dict[str, str], card: dict[str, Any]) -> None:
    """Put strings, each under ``repro/NAME``, and the card into the run's summary."""
    # One update for both: each update is a message to W&B's service.
    run.summary.update({**{f"repro/{name}": value for name, value in values.items()}, **card})


class GivenFiles:
    """Uploads the capsule's files with the run; a failure is a warning."""

    def __init__(self, run: Run, capsule: Capsule) -> None:
        # The capsule is inside the run's folder: W&B makes a symlink for a file saved from
        # elsewhere, which breaks when the folder moves.
        self._run = run
        self._capsule = capsule
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._awaited: frozenset[Path] = frozenset()

    @harmless(_FILES)
    def give_manifest(self) -> None:
        """Upload the manifest, the only file when a run starts."""
        self._give([self._capsule.manifest])

    @harmless(_FILES)
    def give_all(self) -> None:
        """Upload each file that is new or changed since it was last uploaded."""
        self._give(sorted(_files_in(self._capsule.folder)))

    def await_end(self) -> None:
        """Have W&B upload the files that still change only when the run ends."""
        # A killed run never ends for W&B: its server keeps the files from the start of training.
        growing = self._capsule.folder / _GROWING
        self._save(growing, "end")
        self._awaited = frozenset(self._capsule.folder.glob(_GROWING))

    def _give(self, paths: Iterable[Path]) -> None:
        for path in paths:
            if path in self._awaited or path.name.startswith(".") or not path.is_file():
                continue
            status = path.stat()
            stamp = status.st_size, status.st_mtime_ns
            if self._stamps.get(path) != stamp:
                self._stamps[path] = stamp
                self._save(path, "now")

    def _save(self, path: Path, policy: Literal["now", "end"]) -> None:
        self._run.save(str(path), base_path=str(Path(self._run.dir)), policy=policy)


def _files_in(folder: Path) -> Iterator[Path]:
    """Yield all files in a folder and its subfolders."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def _columns(manifest: Manifest) -> Columns:
    """Return at most 14 scalars, each a column of the run table, all known when training starts."""
    # The digest of the whole record is in the summary only: no two runs share it.
    execution, description = manifest.execution, manifest.description
    columns: dict[str, str | bool | int | None] = {
        "seed": _known(execution.seed),
        "deterministic": execution.deterministic,
        "rerun_of": _known(manifest.run.rerun_of),
        "recorded_by": manifest.recorded_by,
        **_code(execution.code),
        **_runtime(description.runtime),
        **_accelerator(description.accelerator),
        "packages": execution.packages.digest[:_SHORT]
        if isinstance(execution.packages, Packages)
        else None,
        "data": _data(description.data),
    }
    return {name: value for name, value in columns.items() if value is not None}


def _data(data: tuple[Dataset, ...] | Unavailable) -> str | None:
    """Return one digest of all fingerprints; None if any of them is missing."""
    if isinstance(data, Unavailable) or any(isinstance(part.digest, Unavailable) for part in data):
        return None
    named = "\0".join(f"{part.name}\0{part.digest}" for part in data)
    return hashlib.sha256(named.encode()).hexdigest()[:_SHORT]


def _known(value: str | Unavailable) -> str | None:
    return None if isinstance(value, Unavailable) else value


def _code(code: Code | Unavailable) -> dict[str, str | bool | int | None]:
    if isinstance(code, Unavailable):
        return {}
    git = code.git
    if not isinstance(git, GitState):
        return {"tree": code.tree[:_SHORT]}
    dirty = git.dirty if isinstance(git.dirty, bool) else None
    return {"tree": code.tree[:_SHORT], "commit": _known(git.commit), "dirty": dirty}


def _runtime(runtime: Runtime | Unavailable) -> dict[str, str | bool | int | None]:
    if isinstance(runtime, Unavailable):
        return {}
    framework = runtime.framework
    name = (
        f"keras {framework.keras} {framework.backend} {framework.backend_version}"
        if isinstance(framework, Framework)
        else None
    )
    return {"threads": runtime.intra_op_threads, "framework": name}


def _accelerator(accelerator: Accelerator | Unavailable) -> dict[str, str | bool | int | None]:
    if isinstance(accelerator, Unavailable) or isinstance(accelerator.gpus, Unavailable):
        return {"gpu": "none"}
    cuda, cudnn = _known(accelerator.cuda_build), _known(accelerator.cudnn_build)
    return {
        "gpu": ", ".join(gpu.name for gpu in accelerator.gpus) or "none",
        "driver": _known(accelerator.driver),
        "cuda": f"{cuda}, cuDNN {cudnn or 'unknown'}" if cuda else None,
    }


def environment_line(manifest: Manifest) -> str:
    """Return the environment in one line: ``Python 3.11.7, Keras 3.15 on tensorflow 2.21, ...``."""
    runtime = manifest.description.runtime
    parts: list[str] = []
    if isinstance(manifest.execution.packages, Packages):
        parts.append(f"Python {manifest.execution.packages.interpreter.version}")
    if isinstance(runtime, Runtime):
        if isinstance(runtime.framework, Framework):
            parts.append(
                f"Keras {runtime.framework.keras} on {runtime.framework.backend} "
                f"{runtime.framework.backend_version}"
            )
        parts.append(f"{runtime.intra_op_threads} threads")
        parts.append(str(runtime.processor.model))
    return ", ".join(parts) or "not recorded"
