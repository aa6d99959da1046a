"""The files of an artifact that a script logs, before W&B takes them."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, NamedTuple

from wandb_repro.capture.outputs.output_folder import files_below

_NOT_OUTPUTS = frozenset({"code", "job", "run_table", "wandb-history", "wandb-run-history"})
"""Types of artifacts that W&B makes itself: of the code, or of what ``run.log`` was given."""


class ArtifactEntry(NamedTuple):
    """One file of an artifact."""

    path: str
    """In the artifact."""
    local: Path | None
    """Where it is now; None for a reference, or a file of an earlier version."""
    digest: str
    """W&B's digest of it; empty for a local path."""


class LoggedArtifact(NamedTuple):
    """An artifact that a script logs."""

    name: str
    type: str
    entries: Iterable[ArtifactEntry]


def logged_artifact(
    subject: Any, name: str | None, kind: str | None, run_id: str
) -> LoggedArtifact | None:
    """Return what a script logs; None if it is not an output of the run.

    Args:
        subject: an artifact, or the path or address of what W&B makes one of.
        name: of the artifact made of a path.
        kind: its type.
        run_id: of the run that logs it.
    """
    if isinstance(subject, (str, os.PathLike)):
        path: str = os.fspath(subject)  # pyright: ignore[reportUnknownArgumentType, reportUnknownVariableType]
        # Source: wandb 0.31, Run._prepare_artifact.
        name = name or f"run-{run_id}-{os.path.basename(path)}"  # noqa: PTH119 - as W&B does
        return LoggedArtifact(name, kind or "unspecified", _of_path(path))
    if getattr(subject, "type", None) in _NOT_OUTPUTS:
        return None
    manifest = subject.manifest
    entries = [
        ArtifactEntry(
            str(path),
            None if not entry.local_path or entry.ref else Path(entry.local_path),
            str(entry.digest),
        )
        for path, entry in sorted(manifest.entries.items())
    ]
    # A logged artifact has its version behind its name.
    return LoggedArtifact(str(subject.name).partition(":")[0], str(subject.type), entries)


def _of_path(path: str) -> Iterable[ArtifactEntry]:
    if "://" in path and not Path(path).exists():
        yield ArtifactEntry(path.rpartition("/")[2] or path, None, path)
        return
    if not Path(path).exists():  # W&B will say so
        return
    for name, local in files_below(Path(path)):
        yield ArtifactEntry(name, local.absolute(), "")
