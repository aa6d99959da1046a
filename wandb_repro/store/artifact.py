"""A version of a W&B artifact, downloaded. An alias, such as ``latest``, is never followed."""

from __future__ import annotations

import os
import re
import shutil
import sys
from pathlib import Path
from typing import Any, cast

from wandb_repro.errors import NotFoundError, UsageError
from wandb_repro.store.subprocess import run_apart
from wandb_repro.store.wandb_api import configured, connect, translated

_NAME = r"[^/:\r\n]+"
_VERSION = re.compile(f"{_NAME}/{_NAME}/{_NAME}:v[0-9]+")
"""W&B allows spaces in the names of projects and artifacts."""


def version_of(artifact: object) -> str:
    """Return ``ENTITY/PROJECT/NAME:vN`` of an artifact, or of a text that is one.

    Raises:
        UsageError: it names no version: what an alias means changes.
    """
    name = artifact if isinstance(artifact, str) else _name_of(artifact)
    if _VERSION.fullmatch(name) is None:
        raise UsageError(
            f"{name or type(artifact).__name__!r} is not an artifact version.",
            hint="Give ENTITY/PROJECT/NAME:vN, or what run.use_artifact returned.",
        )
    return name


def _name_of(artifact: object) -> str:
    """Return an artifact's name with its version; empty where it has none yet, or is none.

    NOTE: the name that W&B gives has the alias by which a script asked, such as ``latest``.
    """
    name, version = getattr(artifact, "qualified_name", ""), getattr(artifact, "version", "")
    return f"{str(name).partition(':')[0]}:{version}" if name else ""


def download_artifact(version: str, folder: Path) -> Path:
    """Download a version into a folder; return the folder that its files are in.

    In a process of its own: the training that follows keeps its settings of W&B.

    Raises:
        UsageError: it names no version.
        NotFoundError: it is not there, or not for who is logged in.
        ReproError: it cannot be downloaded.
    """
    return run_apart(
        _download,
        version_of(version),
        folder,
        scratch=folder,
        limit=lambda _: sys.maxsize,
    )


def _download(name: str, folder: Path) -> Path:
    # NOTE: wandb 0.31 writes to its cache first, file by file, so that belongs into the folder
    # that is watched; the user's own may hold a file that was damaged since, by its size alone.
    cache = folder / "cache"
    os.environ["WANDB_CACHE_DIR"] = str(cache)
    with configured(folder) as (server, _):
        api: Any = cast("Any", connect(server))
        with translated(server):
            found = Path(_found(api, name, server).download(root=str(folder / "files")))
    shutil.rmtree(cache, ignore_errors=True)
    return found


def _found(api: Any, name: str, server: str) -> Any:
    try:
        return api.artifact(name)
    except Exception as error:
        if "not found" not in str(error).lower():
            raise
        raise NotFoundError(f"W&B at {server} has no {name}.") from error
