"""What of the record W&B shows: a nested config entry, summary strings, the capsule's files.

Nothing is logged to the history: a step of ours would make a user's own ``step=0`` disappear.
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
from wandb_repro.recording.wandb_run import CONFIG_KEY, Run
from wandb_repro.store.capsule import Capsule

__all__ = ["Columns", "GivenFiles", "environment_line", "publish_config", "publish_summary"]

Columns: TypeAlias = dict[str, str | bool | int]

_SHORT = 12
_GROWING = "*.[jh]*"
"""JSON and HTML: what is written until a run ends."""


def publish_config(run: Run, manifest: Manifest, there: Columns | None = None) -> Columns:
    """Put what runs are filtered and compared by into the run's config: scalars only.

    Args:
        run: whose config.
        manifest: the record as it stands.
        there: what was put there before; the same is not put again, which takes milliseconds.
    """
    columns = _columns(manifest)
    if columns != there:
        run.config.update({CONFIG_KEY: columns}, allow_val_change=True)
    return columns


def publish_summary(run: Run, values: dict[str, str], card: dict[str, Any]) -> None:
    """Put strings into the run's summary: every server keeps and shows these.

    Args:
        run: whose summary.
        values: by their names behind ``repro/``.
        card: the entry of the card, at once with them: each update is a message of its own.
    """
    run.summary.update({**{f"repro/{name}": value for name, value in values.items()}, **card})


class GivenFiles:
    """The capsule's files, as W&B is given them, in the folder where it looks for them itself.

    NOTE: a file saved from elsewhere becomes a symlink and is lost when the folder moves.

    Args:
        run: what they belong to.
        capsule: where they are.
    """

    def __init__(self, run: Run, capsule: Capsule) -> None:
        self._run = run
        self._capsule = capsule
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._awaited: frozenset[Path] = frozenset()

    def give_manifest(self) -> None:
        """Give the record, which is all that there is when a run begins."""
        self._give([self._capsule.manifest])

    def give_all(self) -> None:
        """Give what is there and what W&B has not as it is, such as the bundle when a run ends."""
        self._give(sorted(_files_in(self._capsule.folder)))

    def await_end(self) -> None:
        """Have W&B take what is written until the run ends as it is then, by itself.

        NOTE: a killed run does not end for W&B: its server has what there was when it began to
        train, its disk has all.
        """
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
    """Yield all files, those of folders below too."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent, name) for name in names)


def _columns(manifest: Manifest) -> Columns:
    """Return at most 14 scalars: each becomes a column of the run table.

    NOTE: the digest of the whole record stands in the summary only. No two runs share it, and it
    is known when a run ends; all of these are known when it begins to train.
    """
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
    """Return one digest over all fingerprints; None where one of them has none."""
    if isinstance(data, Unavailable) or any(isinstance(one.digest, Unavailable) for one in data):
        return None
    told = "\0".join(f"{one.name}\0{one.digest}" for one in data)
    return hashlib.sha256(told.encode()).hexdigest()[:_SHORT]


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
    """Return the environment in one line."""
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
