"""The lines that a training prints about its record."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, BundleFile, Code, LeftOut
from wandb_repro.manifest.data import InputFolder, can_be_moved, is_download_cache
from wandb_repro.manifest.machine import Accelerator
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.report.text import count, size

_LISTED = 5
"""Paths listed in one line; further ones are counted."""


def opening(manifest: Manifest) -> tuple[str, ...]:
    """Return the lines printed once when training begins.

    Example:
        ``("recording: seed 7, 1 source file (1.2 kB)",)``
    """
    execution, run = manifest.execution, manifest.run
    seed = f"seed {execution.seed}" if isinstance(execution.seed, str) else "the script's own seeds"
    determinism = _determinism(manifest)
    if isinstance(run.rerun_of, str):
        return (f"rerunning {run.rerun_of}: {seed}", *determinism)
    return (f"recording: {seed}, {_stored(execution.code)}", *determinism)


def _stored(code: Code | Unavailable) -> str:
    if isinstance(code, Unavailable) or isinstance(code.bundle, Unavailable):
        return "no source code stored"
    return f"{count(code.files, 'source file')} ({_size_and_place(code.bundle)})"


def _size_and_place(bundle: BundleFile, size_bytes: int | None = None) -> str:
    shown = size(bundle.size_bytes if size_bytes is None else size_bytes)
    return f"{shown}, on this machine only" if bundle.kept == "local" else shown


def _determinism(manifest: Manifest) -> tuple[str, ...]:
    if manifest.execution.deterministic:
        return ("op determinism is on",)
    # Only GPU kernels add in a different order each time; on a CPU there is nothing to do.
    if _on_gpu(manifest):
        return ("training on a GPU: pass deterministic=True to get the same bits in a rerun",)
    return ()


def _on_gpu(manifest: Manifest) -> bool:
    accelerator = manifest.description.accelerator
    if not isinstance(accelerator, Accelerator) or isinstance(accelerator.gpus, Unavailable):
        return False
    return bool(accelerator.gpus)


def secrets_left_out(left_out: Iterable[LeftOut]) -> str:
    """Return a line listing files not stored because they look like secrets; empty without any."""
    paths = [left.path for left in left_out if "secret" in left.reason]
    if not paths:
        return ""
    return (
        f"not stored, looks like a secret: {_listed(paths)} "
        "(if it is not one, add it to not_secret in [tool.wandb_repro])"
    )


def stored_beside(added: Added) -> str:
    """Return a line listing files stored in addition to the source tree; empty without any."""
    if isinstance(added.bundle, Unavailable):
        return ""
    # The bundle is compressed; the files' own sizes say more about what is uploaded.
    total = sum(file.size_bytes for file in added.files)
    paths = [file.path for file in added.files]
    return (
        f"also stored, used but not in the source tree ({_size_and_place(added.bundle, total)}): "
        f"{_listed(paths)}"
    )


def folder_not_stored(folder: InputFolder) -> str:
    """Return a line about a folder that the run reads and that is not stored with it."""
    if is_download_cache(folder.absolute):
        return f"{folder} is read and not stored: a rerun looks for it there or downloads it again"
    option = f", or pass --data {folder.path}=PATH" if can_be_moved(folder) else ""
    why = folder.reason
    return f"{folder} is read and not stored, because {why}: a rerun needs it there{option}"


def _listed(paths: Sequence[str]) -> str:
    more = len(paths) - _LISTED
    return ", ".join(paths[:_LISTED]) + (f" and {more} more" if more > 0 else "")
