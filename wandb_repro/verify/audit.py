"""Why a recorded run might not run again, or not to the same bits: one record is looked at.

What one record says of files that its run used and its snapshot lacks.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import EXCLUDED, IGNORED, Added, Code, LeftOut
from wandb_repro.manifest.command import CellsFile, Command
from wandb_repro.manifest.machine import Accelerator, Framework, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages, Repacked
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.training import Seeds
from wandb_repro.verify.finding import Effect, Finding, about_one_run

__all__ = ["audit", "beside"]


_WEIGHT: dict[Effect, int] = {
    "stops": 0,
    "changes bits": 1,
    "may change bits": 2,
    "explains": 3,
}


def audit(manifest: Manifest, trail: Trail) -> tuple[Finding, ...]:
    """Return every reason why a run might not run again, the heaviest first."""
    found = (
        *_command(manifest),
        *_code(manifest),
        *_packages(manifest),
        *_seeds(manifest),
        *_determinism(manifest),
        *_trail(manifest, trail),
        *_data(manifest),
    )
    return tuple(sorted(found, key=lambda finding: _WEIGHT[finding.effect]))


def _command(manifest: Manifest) -> Iterator[Finding]:
    command = manifest.execution.command
    if isinstance(command, Unavailable):
        yield about_one_run(
            "command", "command", "", "stops", f"How it was started is not known: {command}", ""
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
            f"It trained in {manifest.execution.world_size} processes together; "
            "only runs of one process can be rerun",
            "",
        )


def _cells(command: Command) -> Iterator[Finding]:
    if command.kind != "notebook":
        return
    file = command.cells
    if not isinstance(file, CellsFile):
        why = file or "nobody wrote them"
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
            f"A credential stood in cell {number} and is not recorded",
            f"rerun with --arg {number}=VALUE",
        )


def _code(manifest: Manifest) -> Iterator[Finding]:
    code = manifest.execution.code
    if isinstance(code, Unavailable) or isinstance(code.bundle, Unavailable):
        why = code if isinstance(code, Unavailable) else code.bundle
        yield about_one_run(
            "code", "code", "", "stops", f"Its source tree is not recorded: {why}", ""
        )
        return
    if code.bundle.kept == "local":
        yield about_one_run(
            "code",
            "code",
            "local",
            "stops",
            'Its source tree is only on the machine that recorded it (code="local")',
            "rerun it there",
        )
    yield from _left_out(manifest, code)
    yield from beside(manifest, code)


def _left_out(manifest: Manifest, code: Code) -> Iterable[Finding]:
    inputs = manifest.description.inputs
    read = {found.absolute for found in (() if isinstance(inputs, Unavailable) else inputs)}
    for left in code.left_out:
        needed = f"{code.root}/{left.path}" in read
        if not needed and left.reason.startswith((IGNORED, EXCLUDED)):
            continue  # as its user wants it; what it is stands in the record
        yield about_one_run(
            "code",
            "file left out",
            left.path,
            "may change bits" if needed else "explains",
            f"{left.path} is not in the snapshot: {left.reason}"
            + ("; the run read it" if needed else ""),
            _cure_of(left, needed=needed),
        )


def _cure_of(left: LeftOut, *, needed: bool) -> str:
    if left.reason.startswith("looks like a secret"):
        return "if it is none, name it as not_secret in [tool.wandb_repro]"
    return "keep it at its place, or raise the limits in [tool.wandb_repro]" if needed else ""


def _packages(manifest: Manifest) -> Iterator[Finding]:
    packages = manifest.execution.packages
    if isinstance(packages, Unavailable):
        yield about_one_run(
            "package", "packages", "", "stops", f"Its packages are not recorded: {packages}", ""
        )
        return
    yield from _lost(packages)
    yield from _edited(packages)
    yield from _unowned(packages.unowned)


def _unowned(files: tuple[str, ...]) -> Iterator[Finding]:
    """Yield what lies among the packages and belongs to none: one finding a module or folder."""
    for place, count in Counter(map(_put_there, files)).items():
        told = place if place in files else f"{place} ({count:,} file{'s' if count > 1 else ''})"
        yield about_one_run(
            "package",
            "file among packages",
            place,
            "may change bits",
            f"{told} was loaded, and no installed package has it: a rebuilt environment lacks it",
            "put it into the project, or rerun with --env here",
        )


def _put_there(file: str) -> str:
    """Return the module or folder, right below the folder of packages, that a file is part of."""
    for folder in ("/site-packages/", "/dist-packages/"):
        above, found, inside = file.rpartition(folder)
        if found:
            return f"{above}{found}{inside.partition('/')[0]}"
    return file


def _edited(packages: Packages) -> Iterator[Finding]:
    if isinstance(packages.altered, Unavailable):
        return
    packed = {one.name for one in packages.distributions if isinstance(one.repacked, Repacked)}
    for one in packages.altered:
        files = ", ".join(one.files[:3]) + (" ..." if len(one.files) > 3 else "")
        kept = one.name in packed
        yield about_one_run(
            "package",
            one.name,
            files,
            "explains" if kept else "may change bits",
            f"{one.name} was edited by hand after it was installed: {files}"
            + ("; it is kept with the run as it was" if kept else "; a rebuilt one is without it"),
            "" if kept else "rerun with --env here, where it still is as it was",
        )


def _lost(packages: Packages) -> Iterator[Finding]:
    for found in packages.distributions:
        if isinstance(found.repacked, Unavailable) and found.origin != "index":
            yield about_one_run(
                "package",
                found.name,
                found.version,
                "stops",
                f"{found.name} {found.version} came from no index and could not be packed: "
                f"{found.repacked}",
                f"publish {found.name}, or rerun with --env here",
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
            "PYTHONHASHSEED was not set: the order of a set of strings cannot be repeated",
            "start it with wandb-repro run, which sets it, if the script iterates over sets",
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
            "pipeline, bits may not repeat",
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
            "It has no end record: it was killed, or is still running; "
            "what it recorded so far can be compared",
            "rerun with --until-epoch",
        )


def _data(manifest: Manifest) -> Iterator[Finding]:
    if isinstance(manifest.description.data, Unavailable):
        yield about_one_run(
            "data",
            "data",
            "",
            "explains",
            "The data has no fingerprint: a change in it would not be noticed by itself",
            "call wandb_repro.fingerprint(name, x, y)",
        )
    overlaps = manifest.description.overlaps
    for overlap in () if isinstance(overlaps, Unavailable) else overlaps:
        yield about_one_run(
            "data",
            f"data {overlap.two!r}",
            str(overlap.rows_of_two),
            "explains",
            f"{overlap}: if one of the two is for training, what is measured on the "
            "other says too much",
            "take the rows out of one of them",
        )


_KEEP = "keep it at its place; a rerun without it, or with another, does not start"


def beside(manifest: Manifest, code: Code) -> Iterator[Finding]:
    """Yield what may be missing from a rerun, beside what the snapshot itself left out."""
    if isinstance(code.added, Unavailable):
        yield _unknown(manifest, code.added)
    else:
        yield from _edited_of_beside(code.added)
    inputs = manifest.description.inputs
    told = {f"{code.root}/{left.path}" for left in code.left_out}
    for file in () if isinstance(inputs, Unavailable) else inputs:
        if file.reason and file.absolute not in told:
            sentence = f"{file.path} was used and is not in the capsule: {file.reason}"
            yield about_one_run(
                "code", "file not stored", file.path, "may change bits", sentence, _KEEP
            )


def _unknown(manifest: Manifest, reason: Unavailable) -> Finding:
    killed = isinstance(manifest.ending, Unavailable)
    return about_one_run(
        "code",
        "files beside the snapshot",
        "",
        "may change bits" if killed else "explains",
        f"What it imported or read outside its snapshot is not known: {reason}",
        "let a run end by itself to have it recorded" if killed else "",
    )


def _edited_of_beside(added: Added) -> Iterator[Finding]:
    for path in added.edited:
        yield about_one_run(
            "code",
            "edited module",
            path,
            "may change bits",
            f"{path} changed after the snapshot was taken; which of the two was imported is not "
            "known",
            "record again, and edit a copy while it trains",
        )
