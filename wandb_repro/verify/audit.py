"""Finds every reason in one record why its run might not run again, or not to the same bits."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import CellsFile, Command
from wandb_repro.manifest.data import InputFolder, can_be_moved, is_download_cache
from wandb_repro.manifest.machine import Accelerator, Framework, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Logged
from wandb_repro.manifest.training import Seeds
from wandb_repro.verify.audit_code import audit_code
from wandb_repro.verify.audit_packages import audit_packages
from wandb_repro.verify.finding import SEVERITY, Finding, about_one_run
from wandb_repro.verify.output_diff import output_differences
from wandb_repro.verify.undigested import undigested


def audit(manifest: Manifest, trail: Trail) -> tuple[Finding, ...]:
    """Return every reason why a run might not run again, the most severe first."""
    findings = (
        *_command(manifest),
        *audit_code(manifest),
        *audit_packages(manifest),
        *_seeds(manifest),
        *_determinism(manifest),
        *_trail(manifest, trail),
        *_files(manifest),
        *_data(manifest),
    )
    return tuple(sorted(findings, key=lambda finding: SEVERITY[finding.effect]))


def _command(manifest: Manifest) -> Iterator[Finding]:
    command = manifest.execution.command
    if isinstance(command, Unavailable):
        sentence = f"The command is not recorded: {command}"
        yield about_one_run("command", "command", "", "stops", sentence)
        return
    yield from _cells(command)
    for position in command.redacted:
        sentence = f"Argument {position} was a credential and is not recorded"
        cure = f"rerun with --arg {position}=VALUE"
        argument = command.arguments[position]
        yield about_one_run("command", "command", argument, "explains", sentence, cure)
    processes = manifest.execution.world_size
    if processes > 1:
        sentence = f"It trained in {processes} processes; only runs with one process can be rerun"
        yield about_one_run("command", "processes", str(processes), "stops", sentence)


def _cells(command: Command) -> Iterator[Finding]:
    if command.kind != "notebook":
        return
    file = command.cells
    if not isinstance(file, CellsFile):
        sentence = f"The notebook's cells are not recorded: {file or 'they were not written'}"
        yield about_one_run("command", "cells", "", "stops", sentence)
        return
    for number in file.redacted:
        sentence = f"Cell {number} contained a credential, which is not recorded"
        cure = f"rerun with --arg {number}=VALUE"
        yield about_one_run("command", "cells", f"cell {number}", "explains", sentence, cure)


def _seeds(manifest: Manifest) -> Iterator[Finding]:
    generators = ", ".join(seeded_too_late(manifest))
    if generators:
        sentence = (
            "The seed was set after a model was built: its initial weights cannot be repeated"
        )
        cure = "call wandb_repro.init before building the model"
        yield about_one_run("seed", "seed", generators, "changes bits", sentence, cure)
    runtime = manifest.description.runtime
    if isinstance(runtime, Runtime) and runtime.hash_seed == "random":
        sentence = "PYTHONHASHSEED was not set: a set of strings may have another order in a rerun"
        cure = "if the script iterates over sets, start it with wandb-repro run, which sets it"
        yield about_one_run("switch", "PYTHONHASHSEED", "random", "explains", sentence, cure)


def seeded_too_late(manifest: Manifest) -> list[str]:
    """Return the random generators that were seeded only after their first use."""
    seeds = manifest.description.seeds
    if not isinstance(seeds, Seeds):
        return []
    return [seed.generator for seed in seeds.generators if seed.when == "after first use"]


def _determinism(manifest: Manifest) -> Iterator[Finding]:
    runtime, accelerator = manifest.description.runtime, manifest.description.accelerator
    framework = runtime.framework if isinstance(runtime, Runtime) else None
    on_gpu = isinstance(accelerator, Accelerator) and not isinstance(accelerator.gpus, Unavailable)
    if isinstance(framework, Framework) and framework.op_determinism is False:
        sentence = (
            "Op determinism was off: on a GPU, or with random operations in a parallel input "
            "pipeline, a rerun may give other bits"
        )
        effect = "changes bits" if on_gpu else "explains"
        cure = "pass deterministic=True to init"
        yield about_one_run("determinism", "op determinism", "off", effect, sentence, cure)


def _trail(manifest: Manifest, trail: Trail) -> Iterator[Finding]:
    digested = any(weights.leaves for weights in trail.moments())
    if not digested and next(trail.states(), None) is None:
        why = trail.missing[0].reason if trail.missing else "no fit and no loop was recorded"
        sentence = f"No weights were digested: {why}"
        cure = "record a loop of your own with wandb_repro.watch(model)"
        # Rows can be compared; without any, a rerun could show nothing.
        effect = "stops" if next(trail.of(Logged), None) is None else "is not compared"
        yield about_one_run("ending", "weights", "", effect, sentence, cure)
    elif trail.end is None or isinstance(manifest.ending, Unavailable):
        sentence = "The record has no end: the run was killed or is still running"
        cure = "compare the recorded epochs: rerun with --until-epoch"
        yield about_one_run("ending", "end", "", "may change bits", sentence, cure)
    for reason in undigested(trail):
        sentence = f"{reason[0].upper()}{reason[1:]}"
        yield about_one_run("ending", "not digested", "", "is not compared", sentence)
    if not isinstance(manifest.ending, Unavailable) and manifest.ending.status == "failed":
        error = str(manifest.ending) if manifest.ending.detail else "an error"
        sentence = f"The run failed with {error}; a rerun is compared up to there"
        yield about_one_run("ending", "end", error, "explains", sentence)


def _files(manifest: Manifest) -> Iterator[Finding]:
    """Yield the files that the run saved and whose content is not known."""
    description = manifest.description
    if isinstance(description.outputs, Unavailable):
        return
    names = () if isinstance(description.volatile, Unavailable) else description.volatile
    for why in output_differences(manifest, manifest, names).unknown:
        sentence = f"A file that the run saved is not compared: {why}"
        yield about_one_run("ending", "files", "", "is not compared", sentence)


def _data(manifest: Manifest) -> Iterator[Finding]:
    yield from _fingerprints(manifest)
    yield from _folders(manifest)
    overlaps = manifest.description.overlaps
    for overlap in () if isinstance(overlaps, Unavailable) else overlaps:
        fact, rows = f"data {overlap.two!r}", str(overlap.rows_of_two)
        sentence = f"{overlap}: if one of them is training data, scores on the other are too good"
        cure = "remove these rows from one of them"
        yield about_one_run("data", fact, rows, "explains", sentence, cure)


def _fingerprints(manifest: Manifest) -> Iterator[Finding]:
    """Yield data whose content the record does not know."""
    data = manifest.description.data
    if isinstance(data, Unavailable):
        if not any(isinstance(folder.digest, str) for folder in _read_folders(manifest)):
            sentence = "The data has no fingerprint: if it changes, the record cannot show it"
            cure = "call wandb_repro.fingerprint(name, x, y)"
            yield about_one_run("data", "data", "", "explains", sentence, cure)
        return
    for part in data:
        if isinstance(part.digest, Unavailable):
            sentence = f"The data {part.name!r} has no fingerprint: {part.digest}"
            yield about_one_run("data", f"data {part.name!r}", "", "explains", sentence)


def _folders(manifest: Manifest) -> Iterator[Finding]:
    """Yield folders that the run read and that are not stored with it."""
    for folder in _read_folders(manifest):
        path = folder.path
        option = f", or rerun with --data {path}=PATH" if can_be_moved(folder) else ""
        cure = f"keep it in its place{option}"
        if is_download_cache(folder.absolute):
            sentence = f"{folder} is not in the record: the script downloads it where it is missing"
            yield about_one_run("data", path, path, "explains", sentence)
        elif isinstance(folder.digest, Unavailable):
            sentence = (
                f"The run read {folder}, which is not stored, because {folder.reason}; its content "
                f"is not recorded ({folder.digest})"
            )
            more = f"{cure}; record its content with wandb_repro.fingerprint(name, path={path!r})"
            yield about_one_run("data", path, path, "may change bits", sentence, more)
        else:
            sentence = (
                f"A rerun needs {folder} and compares it: it is not stored, because {folder.reason}"
            )
            yield about_one_run("data", path, path, "explains", sentence, cure)


def _read_folders(manifest: Manifest) -> tuple[InputFolder, ...]:
    """Return the folders that the run read, without those that it fingerprinted."""
    folders, data = manifest.description.folders, manifest.description.data
    parts = () if isinstance(data, Unavailable) else data
    known = {
        part.files.absolute
        for part in parts
        if part.files is not None and isinstance(part.files.digest, str)
    }
    read = () if isinstance(folders, Unavailable) else folders
    return tuple(folder for folder in read if folder.absolute not in known)
