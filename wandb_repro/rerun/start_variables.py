"""The environment variables that a record sets for its rerun. Pure."""

from __future__ import annotations

import re

from wandb_repro.errors import RefusedError
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.machine import Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.switches import RESTORED, THREADS_VARIABLE


def start_variables(manifest: Manifest, command: Command, threads: int | None) -> dict[str, str]:
    """Return the recorded switches by name, with ``threads`` in place of the recorded number.

    Raises:
        RefusedError: the record would set another variable, or one that cannot be set.
    """
    unknown = sorted(set(command.environment) - set(RESTORED))
    if unknown:
        raise RefusedError(
            f"The record wants to set {unknown[0]}, which is not a training switch.",
            hint="Only names in wandb_repro/manifest/switches.py are set.",
        )
    if any("\0" in value for value in command.environment.values()):
        raise RefusedError("The record's variables hold a NUL, which no variable can hold.")
    runtime = manifest.description.runtime
    switches = {name: _without_dumps(value) for name, value in command.environment.items()}
    if isinstance(runtime, Runtime):
        switches[THREADS_VARIABLE] = str(runtime.intra_op_threads)
    if threads is not None:
        switches[THREADS_VARIABLE] = str(threads)
    return switches


def _without_dumps(value: str) -> str:
    """Return XLA's flags without those that make it write files."""
    words = value.split(" ")
    return " ".join(word for word in words if not re.match(r"--\w*dump", word))
