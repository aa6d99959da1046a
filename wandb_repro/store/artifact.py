"""A version of a W&B artifact, downloaded. An alias, such as ``latest``, is never followed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, cast

from wandb_repro.errors import UsageError
from wandb_repro.store.client import configured, connect, translated

__all__ = ["download_artifact", "version_of"]

_VERSION = re.compile(r"[^/:\s]+/[^/:\s]+/[^/:\s]+:v[0-9]+")


def version_of(artifact: object) -> str:
    """Return ``ENTITY/PROJECT/NAME:vN`` of an artifact, or of a text that is one.

    Raises:
        UsageError: it names no version: what an alias means changes.
    """
    name = artifact if isinstance(artifact, str) else getattr(artifact, "qualified_name", "")
    if not isinstance(name, str) or _VERSION.fullmatch(name) is None:
        raise UsageError(
            f"{name or type(artifact).__name__!r} is no version of an artifact.",
            hint="Give ENTITY/PROJECT/NAME:vN, or what run.use_artifact returned.",
        )
    return name


def download_artifact(version: str, folder: Path) -> Path:
    """Download a version into a folder; return the folder that its files are in.

    Raises:
        UsageError: it names no version.
        ReproError: it cannot be had.
    """
    name = version_of(version)
    with configured(folder) as (server, _):
        api: Any = cast("Any", connect(server))
        with translated(server):
            return Path(api.artifact(name).download(root=str(folder / "files")))
