"""Downloads a version of a W&B artifact. An alias, such as ``latest``, is refused."""

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
    """Return ``ENTITY/PROJECT/NAME:vN`` of an artifact, or of its name.

    Raises:
        UsageError: it names no version, only an alias, whose version changes.
    """
    name = artifact if isinstance(artifact, str) else _name_of(artifact)
    if _VERSION.fullmatch(name) is None:
        raise UsageError(
            f"{name or type(artifact).__name__!r} is not an artifact version.",
            hint="Give ENTITY/PROJECT/NAME:vN, or what run.use_artifact returned.",
        )
    return name


def _name_of(artifact: object) -> str:
    """Return an artifact's name with its version; empty if it has none."""
    # NOTE: W&B's name contains the alias that the script used, such as ``latest``.
    name, version = getattr(artifact, "qualified_name", ""), getattr(artifact, "version", "")
    return f"{str(name).partition(':')[0]}:{version}" if name else ""


def download_artifact(version: str, folder: Path) -> Path:
    """Download a version into a folder; return the folder that its files are in.

    In its own process, so that the settings of W&B do not change for the training that follows.

    Raises:
        UsageError: it names no version.
        NotFoundError: it does not exist, or the login cannot read it.
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
    # NOTE: wandb 0.31 writes to its cache first, file by file, so the cache must be in the watched
    # folder. wandb would also accept a damaged file in the user's cache if its size is right.
    cache = folder / "cache"
    os.environ["WANDB_CACHE_DIR"] = str(cache)
    with configured(folder) as (server, _):
        api: Any = cast("Any", connect(server))
        with translated(server):
            files = Path(_found(api, name, server).download(root=str(folder / "files")))
    shutil.rmtree(cache, ignore_errors=True)
    return files


def _found(api: Any, name: str, server: str) -> Any:
    try:
        return api.artifact(name)
    except Exception as error:
        if "not found" not in str(error).lower():
            raise
        raise NotFoundError(f"W&B at {server} has no {name}.") from error
