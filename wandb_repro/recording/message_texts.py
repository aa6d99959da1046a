"""What a session says of its record, in words."""

from __future__ import annotations

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, Code
from wandb_repro.manifest.machine import Accelerator
from wandb_repro.manifest.manifest import Manifest

__all__ = ["opening", "secrets_left_out", "stored_beside"]

_NAMED = 5


def opening(manifest: Manifest) -> tuple[str, str]:
    """Return what is said once when training begins: two lines, 80 columns with their prefix."""
    execution, run = manifest.execution, manifest.run
    seed = f"seed {execution.seed}" if isinstance(execution.seed, str) else "the script's own seeds"
    if isinstance(run.rerun_of, str):
        return (f"repeating {run.rerun_of} with {seed}", _determinism(manifest))
    return (f"recording, {seed}; {_stored(execution.code)}", _determinism(manifest))


def _stored(code: Code | Unavailable) -> str:
    if isinstance(code, Unavailable) or isinstance(code.bundle, Unavailable):
        return "no source is stored"
    where = "on this machine only" if code.bundle.kept == "local" else "with the run"
    files = "1 source file" if code.files == 1 else f"{code.files:,} source files"
    return f"{files} ({code.bundle.size_bytes / 1e6:.1f} MB) stored {where}"


def _determinism(manifest: Manifest) -> str:
    """Return what the switches mean here."""
    if manifest.execution.deterministic:
        return "op determinism on"
    if _on_gpu(manifest):
        return "op determinism as found; on a GPU equal bits need deterministic=True"
    return "op determinism as found; random input maps need deterministic=True"


def _on_gpu(manifest: Manifest) -> bool:
    accelerator = manifest.description.accelerator
    if not isinstance(accelerator, Accelerator) or isinstance(accelerator.gpus, Unavailable):
        return False
    return bool(accelerator.gpus)


def secrets_left_out(code: Code) -> str:
    """Return which files the snapshot leaves out as secrets; empty when there are none."""
    paths = [left.path for left in code.left_out if "secret" in left.reason]
    if not paths:
        return ""
    more = f" and {len(paths) - _NAMED} more" if len(paths) > _NAMED else ""
    return (
        f"left out of the snapshot, it looks like a secret: {', '.join(paths[:_NAMED])}{more} "
        "(if it is none: not_secret in [tool.wandb_repro])"
    )


def stored_beside(added: Added) -> str:
    """Return which files were stored beside the snapshot; empty when there are none."""
    if isinstance(added.bundle, Unavailable):
        return ""
    where = "on this machine only" if added.bundle.kept == "local" else "with the run"
    named = ", ".join(file.path for file in added.files[:_NAMED])
    more = f" and {len(added.files) - _NAMED} more" if len(added.files) > _NAMED else ""
    return (
        f"used and not in the snapshot, stored {where} "
        f"({sum(file.size_bytes for file in added.files) / 1e6:.1f} MB): {named}{more}"
    )
