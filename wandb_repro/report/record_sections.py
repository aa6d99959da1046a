"""A record as titled rows, which both the terminal report and the card show."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from typing import NamedTuple

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code, GitState
from wandb_repro.manifest.command import CellsFile, Command
from wandb_repro.manifest.data import Dataset
from wandb_repro.manifest.machine import Accelerator, Framework, Machine, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.report.coverage_text import coverage_line
from wandb_repro.report.record_checkpoints import checkpoint_rows
from wandb_repro.report.record_ending import ending_text
from wandb_repro.report.record_files import added_rows, folder_rows, input_rows, left_out_rows
from wandb_repro.report.record_model import model_rows
from wandb_repro.report.record_outputs import output_rows
from wandb_repro.report.text import count, size
from wandb_repro.verify.coverage import coverage_of_record

Rows = Iterator[tuple[str, str]]


class Section(NamedTuple):
    """A part of a record: a title, then names and values."""

    title: str
    rows: tuple[tuple[str, str], ...]


def sections(manifest: Manifest, trail: Trail) -> tuple[Section, ...]:
    """Return the sections in the order of every report, including rows without a value.

    Parts that older versions did not record are left out.
    """
    found = (
        ("Run", _run(manifest, trail)),
        ("Code", _code(manifest)),
        ("Environment", _packages(manifest)),
        ("Computation", _runtime(manifest)),
        ("Model", model_rows(manifest)),
        ("Randomness", _seeds(manifest)),
        ("Data", _data(manifest)),
        ("Weights", _trail(manifest, trail)),
        ("Saved", output_rows(manifest)),
    )
    filled = (Section(title, tuple(pairs)) for title, pairs in found)
    return tuple(section for section in filled if section.rows)


def command_line(command: Command | Unavailable) -> str:
    """Return the command of a run, as typed in a shell."""
    if isinstance(command, Unavailable):
        return f"not recorded: {command}"
    if command.kind == "notebook":
        return f"notebook {command.target}: {_cells(command)}"
    if command.kind == "console" and not command.interpreter_flags:
        words = [command.target, *command.arguments]
    else:
        option = {"script": [], "module": ["-m"], "code": ["-c"], "console": []}[command.kind]
        words = ["python", *command.interpreter_flags, *option, command.target, *command.arguments]
    return shlex.join([*(["wandb-repro", "run", "--"] if command.launcher else []), *words])


def _cells(command: Command) -> str:
    file = command.cells
    if not isinstance(file, CellsFile):
        return f"its cells are not recorded: {file or 'they were not written'}"
    cut = ", ".join(map(str, file.redacted))
    return count(file.count, "cell") + (f", credentials removed from {cut}" if cut else "")


def _not(reason: Unavailable) -> str:
    return f"not known: {reason}"


def _run(manifest: Manifest, trail: Trail) -> Rows:
    yield "command", command_line(manifest.execution.command)
    yield "recorded", f"{manifest.recorded_at} by {manifest.recorded_by}"
    if isinstance(manifest.run.rerun_of, str):
        yield "rerun of", manifest.run.rerun_of
    yield "sweep", manifest.run.sweep
    yield "page", manifest.run.url if isinstance(manifest.run.url, str) else ""
    yield "ended", ending_text(manifest, trail)
    machine = manifest.description.machine
    if isinstance(machine, Machine):
        yield "machine", f"{machine.os}, kernel {machine.kernel}"
    config = manifest.description.config
    if not isinstance(config, Unavailable):
        yield "config", ", ".join(f"{name}={value}" for name, value in config.items())


def _code(manifest: Manifest) -> Rows:
    code = manifest.execution.code
    if isinstance(code, Unavailable):
        yield "tree", f"not recorded: {code}"
        return
    yield "tree", f"{code.tree} ({count(code.files, 'file')})"
    yield "bundle", _bundle(code)
    if isinstance(code.git, GitState):
        yield from _git(code.git)
    else:
        yield "git", str(code.git)
    yield from left_out_rows(code.left_out)
    yield from added_rows(code.added)


def _bundle(code: Code) -> str:
    if isinstance(code.bundle, Unavailable):
        return f"missing: {code.bundle}"
    kept = "with the run" if code.bundle.kept == "run" else "only on the machine that recorded it"
    return f"{size(code.bundle.size_bytes)}, {kept}"


def _git(git: GitState) -> Rows:
    yield "commit", f"{git.commit} on {git.branch}"
    yield "remote", str(git.remote)
    if git.dirty is True:
        changed = ", ".join(git.changed[:6]) + (" ..." if len(git.changed) > 6 else "")
        yield "uncommitted", changed or "yes"
    if git.pushed is False:
        yield "pushed", "no: only the bundle has this commit's tree"


def _packages(manifest: Manifest) -> Rows:
    packages = manifest.execution.packages
    if isinstance(packages, Unavailable):
        yield "packages", f"not recorded: {packages}"
        return
    packed = [package for package in packages.distributions if package.repacked is not None]
    yield "python", f"{packages.interpreter.version}, {packages.interpreter.libc}"
    yield "packages", f"{len(packages.distributions)}, digest {packages.digest[:12]}"
    names = (f"{package.name} {package.version} ({package.origin})" for package in packed)
    yield "not on index", ", ".join(names)


def _runtime(manifest: Manifest) -> Rows:
    runtime = manifest.description.runtime
    if isinstance(runtime, Unavailable):
        yield "processor", f"not recorded: {runtime}"
        return
    framework, flags = runtime.framework, runtime.processor.instruction_sets
    if isinstance(framework, Framework):
        backend = f"{framework.backend} {framework.backend_version}"
        policy = f"{framework.dtype_policy}, jit_compile={framework.jit_compile}"
        yield "keras", f"{framework.keras} on {backend}, {policy}"
    yield "threads", f"{runtime.intra_op_threads} ({runtime.intra_op_source})"
    flags = str(flags) if isinstance(flags, Unavailable) else " ".join(flags)
    yield "processor", f"{runtime.processor.model}, {flags}"
    command = manifest.execution.command
    if isinstance(command, Command):
        yield "switches", " ".join(f"{name}={value}" for name, value in command.environment.items())
    yield from _accelerator(manifest.description.accelerator)


def _accelerator(accelerator: Accelerator | Unavailable) -> Rows:
    if isinstance(accelerator, Unavailable) or isinstance(accelerator.gpus, Unavailable):
        why = accelerator if isinstance(accelerator, Unavailable) else accelerator.gpus
        yield "GPU", f"none ({why})"
        return
    names = [gpu.name for gpu in accelerator.gpus]
    for name in dict.fromkeys(names):
        yield "GPU", f"{names.count(name)} × {name}" if names.count(name) > 1 else name
    yield "driver", str(accelerator.driver)
    yield "CUDA, cuDNN", f"{accelerator.cuda_build}, {accelerator.cudnn_build}"


def _seeds(manifest: Manifest) -> Rows:
    seeds, determinism = manifest.description.seeds, manifest.description.determinism
    if isinstance(seeds, Unavailable):
        yield "seed", _not(seeds)
    else:
        yield "seed", f"{seeds.seed}{' (drawn)' if seeds.drawn else ''}"
        for when in dict.fromkeys(seed.when for seed in seeds.generators):
            names = [seed.generator for seed in seeds.generators if seed.when == when]
            yield "seeded", f"{', '.join(names)}: {_WHEN[when]}"
    if isinstance(determinism, Unavailable):
        yield "determinism", _not(determinism)
    else:
        requested = {True: "on", False: "off, as requested", None: "not changed"}
        yield "determinism", requested[determinism.asked]
    runtime = manifest.description.runtime
    if isinstance(runtime, Runtime):
        yield "hash seed", runtime.hash_seed


_WHEN = {
    "before import": "before it was imported",
    "before first use": "before its first use",
    "after first use": "only after its first use",
    "unknown": "not known whether before its first use",
    "never": "never",
}


def _data(manifest: Manifest) -> Rows:
    data, inputs = manifest.description.data, manifest.description.inputs
    if isinstance(data, Unavailable):
        yield "fingerprints", f"none ({data})"
    else:
        for part in data:
            yield part.name, _part(part)
    overlaps = manifest.description.overlaps
    if not isinstance(overlaps, Unavailable):
        yield from ((overlap.two, str(overlap)) for overlap in overlaps)
    uncompared = manifest.description.uncompared_data
    if not isinstance(uncompared, Unavailable):
        yield from (("overlap", sentence) for sentence in uncompared)
    folders = manifest.description.folders
    if not isinstance(folders, Unavailable):
        yield from folder_rows(folders)
    if not isinstance(inputs, Unavailable) and inputs:
        yield from input_rows(inputs)


def _part(part: Dataset) -> str:
    """Return a dataset in one line: kind, rows, path and digest."""
    if isinstance(part.digest, Unavailable):
        return f"none ({part.digest})"
    rows = f", {count(part.rows, 'row')}" if isinstance(part.rows, int) else ""
    path = f", {part.files.path}" if part.files else ""
    read = f", {part.read}" if part.read else ""
    return f"{part.kind}{rows}{path}{read}, {part.digest.rpartition(':')[2]}"


def _trail(manifest: Manifest, trail: Trail) -> Rows:
    moments = [weights for weights in trail.weights if weights.leaves]
    leaves = max((len(weights.leaves) for weights in moments), default=0)
    variables = f"{count(leaves, 'variable')} at {count(len(moments), 'moment')}"
    yield "digests", variables if moments else "none"
    covers = coverage_of_record(manifest, trail)
    yield "covers", coverage_line(covers)
    yield "volatile", ", ".join(covers.volatile)
    for missing in trail.missing:
        yield missing.moment, f"not digested: {missing.reason}"
    if moments:
        yield "at the end", moments[-1].root
    yield from checkpoint_rows(trail)
