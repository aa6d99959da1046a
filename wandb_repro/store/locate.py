"""Finds the capsule of a run that a person named: a folder, ``latest``, or a run on W&B."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from wandb_repro.errors import NotFoundError, UsageError
from wandb_repro.store.capsule import FOLDER, MANIFEST, Capsule
from wandb_repro.store.fetch import RemoteRun, fetch_capsule


@dataclass(frozen=True)
class Located:
    """A capsule on this disk."""

    capsule: Capsule
    found: RemoteRun | None = None
    """The run on W&B; None for a run on this disk."""


def locate(run: str, scratch: Path, *, code: bool = True) -> Located:
    """Return the capsule of a run.

    Args:
        run: ``ENTITY/PROJECT/ID``, ``PROJECT/ID``, a run's URL, ``latest``, an offline run's
            folder, or a capsule's.
        scratch: folder for downloads from W&B.
        code: whether to download the source tree and the wheels too.

    Raises:
        UsageError: this is not a name of a run.
        NotFoundError: there is no such run, or it has no record of ours.
        StoreError: W&B cannot be reached.
    """
    if not run.strip():
        raise UsageError(
            "The name of the run is empty.",
            hint="Give ENTITY/PROJECT/ID, a run's URL, latest, or an offline run's folder.",
        )
    if run == "latest":
        return Located(_in_folder(_wandb_folder() / "latest-run", run))
    folder = _folder_meant(run)
    if folder is not None:
        return Located(_in_folder(folder, run))
    if looks_like_path(run):
        raise NotFoundError(
            f"There is no folder {run}.",
            hint="Give an offline run's folder, ENTITY/PROJECT/ID, a run's URL, or latest.",
        )
    known = _by_id(run)
    if known is not None:
        return Located(known)
    destination = scratch / "capsule"
    destination.mkdir(parents=True, exist_ok=True)
    return Located(Capsule(destination), fetch_capsule(run, destination, code=code))


def _folder_meant(run: str) -> Path | None:
    """Return the named folder, or the folder of a named manifest or log; None for other names."""
    path = Path(run)
    if path.is_file() and (path.name == MANIFEST or path.suffix == ".wandb"):
        return path.parent
    return path if path.is_dir() else None


def looks_like_path(run: str) -> bool:
    """Return whether this can only mean a folder."""
    return run.startswith((".", "/", "~")) or (run.count("/") > 2 and "://" not in run)


def _wandb_folder() -> Path:
    return Path(os.environ.get("WANDB_DIR", ".")) / "wandb"


def _in_folder(folder: Path, run: str) -> Capsule:
    for parent in (folder, folder / FOLDER, folder / "files" / FOLDER):
        if (parent / MANIFEST).is_file():
            return Capsule(parent.resolve())
    if folder.is_dir():
        raise NotFoundError(
            f"The run in {folder} was recorded without wandb_repro.",
            hint="Record it with wandb_repro.init(...) or wandb-repro run -- COMMAND.",
        )
    raise NotFoundError(
        f"There is no run here to call {run!r}.",
        hint="Train with wandb_repro.init(...) in this folder first, or name the run.",
    )


def _by_id(run: str) -> Capsule | None:
    """Return a run in ``./wandb`` by its id; None if the text cannot be an id."""
    if not re.fullmatch(r"[A-Za-z0-9._-]+", run):
        return None
    name = re.compile(rf"(?:offline-)?run-(?P<started>\d{{8}}_\d{{6}})-{re.escape(run)}")
    folder = _wandb_folder()
    matches = [name.fullmatch(path.name) for path in (folder.iterdir() if folder.is_dir() else ())]
    newest = max(
        (match for match in matches if match), key=lambda match: match["started"], default=None
    )
    if newest is not None:
        return _in_folder(folder / newest[0], run)
    raise NotFoundError(
        f"No run {run!r} in {folder}.",
        hint="A run on W&B is written ENTITY/PROJECT/ID or PROJECT/ID.",
    )
