"""Finds every reason in one record why its run might not run again, or not to the same bits."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import CellsFile, Command
from wandb_repro.manifest.machine import Accelerator, Framework, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.training import Seeds
from wandb_repro.verify.audit_code import audit_code
from wandb_repro.verify.audit_packages import audit_packages
from wandb_repro.verify.finding import Effect, Finding, about_one_run

_SEVERITY: dict[Effect, int] = {
    "stops": 0,
    "changes bits": 1,
    "may change bits": 2,
    "explains": 3,
}


def audit(manifest: Manifest, trail: Trail) -> tuple[Finding, ...]:
    """Return every reason why a run might not run again, the most severe first."""
    found = (
        *_command(manifest),
        *audit_code(manifest),
        *audit_packages(manifest),
        *_seeds(manifest),
        *_determinism(manifest),
        *_trail(manifest, trail),
        *_data(manifest),
    )
    return tuple(sorted(found, key=lambda finding: _SEVERITY[finding.effect]))


def _command(manifest: Manifest) -> Iterator[Finding]:
    command = manifest.execution.command
    if isinstance(command, Unavailable):
        yield about_one_run(
            "command", "command", "", "stops", f"The command is not recorded: {command}", ""
        )
        return
    yield from _cells(command)
    for place in command.redacted:
        yield about_one_run(
            "command",
            "command",
            command.arguments[place],
            "explains",
            f"Argument {place} was a credential and is not recorded",
            f"rerun with --arg {place}=VALUE",
        )
    if manifest.execution.world_size > 1:
        yield about_one_run(
            "command",
            "processes",
            str(manifest.execution.world_size),
            "stops",
            f"It trained in {manifest.execution.world_size} processes; "
            "only runs with one process can be rerun",
            "",
        )


def _cells(command: Command) -> Iterator[Finding]:
    if command.kind != "notebook":
        return
    file = command.cells
    if not isinstance(file, CellsFile):
        why = file or "they were not written"
        yield about_one_run(
            "command", "cells", "", "stops", f"The notebook's cells are not recorded: {why}", ""
        )
        return
    for number in file.redacted:
        yield about_one_run(
            "command",
            "cells",
            f"cell {number}",
            "explains",
            f"Cell {number} contained a credential, which is not recorded",
            f"rerun with --arg {number}=VALUE",
        )


def _seeds(manifest: Manifest) -> Iterator[Finding]:
    seeds = manifest.description.seeds
    late = (
        [seed.generator for seed in seeds.generators if seed.when == "after first use"]
        if isinstance(seeds, Seeds)
        else []
    )
    if late:
        yield about_one_run(
            "seed",
            "seed",
            ", ".join(late),
            "changes bits",
            "The seed was set after a model was built: its initial weights cannot be repeated",
            "call wandb_repro.init before building the model",
        )
    runtime = manifest.description.runtime
    if isinstance(runtime, Runtime) and runtime.hash_seed == "random":
        yield about_one_run(
            "switch",
            "PYTHONHASHSEED",
            "random",
            "explains",
            "PYTHONHASHSEED was not set: a set of strings may have another order in a rerun",
            "if the script iterates over sets, start it with wandb-repro run, which sets it",
        )


def _determinism(manifest: Manifest) -> Iterator[Finding]:
    runtime, accelerator = manifest.description.runtime, manifest.description.accelerator
    framework = runtime.framework if isinstance(runtime, Runtime) else None
    on_gpu = isinstance(accelerator, Accelerator) and not isinstance(accelerator.gpus, Unavailable)
    if isinstance(framework, Framework) and framework.op_determinism is False:
        yield about_one_run(
            "determinism",
            "op determinism",
            "off",
            "changes bits" if on_gpu else "explains",
            "Op determinism was off: on a GPU, or with random operations in a parallel input "
            "pipeline, a rerun may give other bits",
            "pass deterministic=True to init",
        )


def _trail(manifest: Manifest, trail: Trail) -> Iterator[Finding]:
    if not any(weights.leaves for weights in trail.moments()):
        why = trail.missing[0].reason if trail.missing else "fit was not called with ReproCallback"
        yield about_one_run(
            "ending", "weights", "", "stops", f"No weights were digested: {why}", "add the callback"
        )
    elif trail.end is None or isinstance(manifest.ending, Unavailable):
        yield about_one_run(
            "ending",
            "end",
            "",
            "may change bits",
            "The record has no end: the run was killed or is still running",
            "compare the recorded epochs: rerun with --until-epoch",
        )


def _data(manifest: Manifest) -> Iterator[Finding]:
    if isinstance(manifest.description.data, Unavailable):
        yield about_one_run(
            "data",
            "data",
            "",
            "explains",
            "The data has no fingerprint: if it changes, the record cannot show it",
            "call wandb_repro.fingerprint(name, x, y)",
        )
    overlaps = manifest.description.overlaps
    for overlap in () if isinstance(overlaps, Unavailable) else overlaps:
        yield about_one_run(
            "data",
            f"data {overlap.two!r}",
            str(overlap.rows_of_two),
            "explains",
            f"{overlap}: if one of them is training data, scores on the other are too good",
            "remove these rows from one of them",
        )
