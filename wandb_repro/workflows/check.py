"""Predicts the result of a training on this machine. Nothing runs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.cpu import probe_processor
from wandb_repro.capture.machine.gpu import probe_accelerator
from wandb_repro.capture.machine.machine import probe_machine
from wandb_repro.capture.machine.runtime import effective_width
from wandb_repro.capture.packages.installed import installed_packages
from wandb_repro.errors import InconclusiveError, RefusedError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.data import InputFolder
from wandb_repro.manifest.machine import Accelerator, Runtime
from wandb_repro.manifest.manifest import Ending, Manifest, run_name
from wandb_repro.manifest.switches import RESTORED
from wandb_repro.manifest.trail import Trail
from wandb_repro.rerun.data_sources import Source, Sources
from wandb_repro.rerun.found_inputs import (
    FoundInputs,
    files_outside_data,
    find_files,
    find_inputs,
)
from wandb_repro.rerun.looking import NOT_LOOKED_AT, Looking
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.fetch import RemoteRun
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.verify.audit import audit
from wandb_repro.verify.finding import Finding, about_one_run
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.prediction import Prediction, predict
from wandb_repro.workflows.prepare_rerun import Prepared, prepare
from wandb_repro.workflows.rerun_options import RerunOptions


@dataclass(frozen=True)
class Aim:
    """How the training would be started."""

    by_hand: bool = False
    """In this shell and environment, not by ``rerun``."""
    environment: str = "auto"
    base_python: Path | None = None
    threads: int | None = None
    sets: Mapping[str, str] = field(default_factory=dict[str, str])
    seed: int | None = None
    deterministic: bool | None = None


def predict_here(
    capsule: Capsule, aim: Aim, work: Path, *, found: RemoteRun | None = None
) -> Prediction:
    """Return the prediction for a training here. Nothing of the capsule is executed or written.

    Args:
        capsule: of the run.
        aim: how the training would be started.
        work: folder of the rerun; it is not made.
        found: the run on W&B, if the capsule was downloaded.

    Raises:
        ReproError: the capsule or an option is invalid.
    """
    manifest, trail = read_manifest(capsule), read_trail(capsule)
    inputs = _found_here(manifest)
    prepared, refused = (None, ()) if aim.by_hand else _prepared(capsule, aim, work, found, inputs)
    inputs = inputs or FoundInputs()
    obstacles = _obstacles(manifest, trail, by_hand=aim.by_hand)
    return predict(
        run_name(manifest),
        "by hand" if aim.by_hand else "rerun",
        _environment(aim, prepared),
        [*refused, *obstacles, *_inputs(manifest, inputs), *_differences(manifest, aim)],
        rebuilt=prepared is not None and prepared.choice.python is None,
        kept=frozenset({*(("intra-op threads",) if aim.threads else ()), *aim.sets}),
        unknown=tuple(_unknown(manifest, trail, aim, prepared, inputs)),
        failed=_failure(manifest.ending),
    )


def _failure(ending: Ending | Unavailable) -> str:
    """Return how a run failed; empty if it did not."""
    if isinstance(ending, Unavailable) or ending.status != "failed":
        return ""
    return str(ending) if ending.detail else "an error"


def _environment(aim: Aim, prepared: Prepared | None) -> str:
    if prepared is not None:
        return prepared.choice.reason
    return "the current one" if aim.by_hand else ""


def _differences(manifest: Manifest, aim: Aim) -> Iterator[Finding]:
    """Yield the differences here; for a rerun also this shell's switches, which it will not use."""
    here = _here(manifest, Host(), aim)
    if aim.by_hand:
        yield from differences(manifest, here)
        return
    yield from differences(manifest, _with_variables(here, manifest, aim.sets))
    for finding in differences(manifest, here):
        if finding.kind == "switch" and finding.fact not in (*aim.sets, "PYTHONHASHSEED"):
            yield finding


def _with_variables(here: Manifest, original: Manifest, sets: Mapping[str, str]) -> Manifest:
    """Return the record of a rerun here: with the original's variables, except those set."""
    command = original.execution.command
    if isinstance(command, Unavailable):
        return here
    environment = {**command.environment, **sets}
    changed = {"command": command.model_copy(update={"environment": environment})}
    return here.model_copy(update={"execution": here.execution.model_copy(update=changed)})


def _prepared(
    capsule: Capsule,
    aim: Aim,
    work: Path,
    found: RemoteRun | None,
    inputs: FoundInputs | None,
) -> tuple[Prepared | None, tuple[Finding, ...]]:
    """Return the rerun, or why it would be refused."""
    command = read_manifest(capsule).execution.command
    redacted = () if isinstance(command, Unavailable) else command.redacted
    options = RerunOptions(
        environment=aim.environment,
        base_python=aim.base_python,
        threads=aim.threads,
        sets=aim.sets,
        values=dict.fromkeys(redacted, "not used"),
        allow_missing=True,
    )
    try:
        return prepare(capsule, work, options, found=found, inputs=inputs), ()
    except (RefusedError, InconclusiveError) as error:
        why, cure = error.message.rstrip("."), error.hint.rstrip(".")
        return None, (about_one_run("command", "rerun", "", "stops", why, cure),)


def _obstacles(manifest: Manifest, trail: Trail, *, by_hand: bool) -> Iterator[Finding]:
    """Yield the obstacles that the record alone shows."""
    folders = manifest.description.folders
    read = () if isinstance(folders, Unavailable) else folders
    looked_for = {folder.path for folder in read}
    for finding in audit(manifest, trail):
        # Folders are looked for here; see `_inputs`.
        if finding.kind == "data" and finding.fact in looked_for:
            continue
        # A command that is started by hand needs neither the recorded tree nor its packages.
        if by_hand and finding.kind in ("code", "package", "command"):
            continue
        if finding.effect != "explains" and finding.fact != "weights":
            yield finding


def _inputs(manifest: Manifest, found: FoundInputs) -> Iterator[Finding]:
    """Yield files and folders that the original read and that are missing here, or differ."""
    for source in found.data.found:
        yield from _of_source(source)
    for file in files_outside_data(manifest, found.data):
        if file.absolute in found.missing:
            sentence = f"The original read {file.absolute}, which is not here"
            yield about_one_run("data", file.path, "", "stops", sentence, "put it where it was")
        elif difference := found.changed.get(file.absolute):
            sentence = f"{file.absolute} {difference}"
            cure = "put the file there that the original read"
            yield about_one_run("data", file.path, "", "changes bits", sentence, cure)


def _found_here(manifest: Manifest) -> FoundInputs | None:
    """Look once for what the original read; None if its record is refused."""
    code, command = manifest.execution.code, manifest.execution.command
    try:
        if isinstance(code, Code):
            return find_inputs(manifest, code, {})
    except RefusedError:  # `_prepared` says so
        return None
    root = "/" if isinstance(command, Unavailable) else command.working_directory
    return find_files(files_outside_data(manifest, Sources()), root, Looking())


def _of_source(source: Source) -> Iterator[Finding]:
    name, files = source.name, source.files
    what = str(files) if isinstance(files, InputFolder) else f"data {name!r}"
    fixed = source.place is None  # the script opens it by an absolute path
    cure = "put it there" if fixed else f"put it there, or rerun with --data {name}=PATH"
    if source.state == "missing":
        sentence = f"The original read {what}, which is not here: no {source.target}"
        yield about_one_run("data", name, "", "stops", sentence, cure)
    elif source.state == "changed":
        why = f": {source.difference}" if source.difference else ""
        sentence = f"{source.target} is not what the original read{why}"
        yield about_one_run("data", name, "", "changes bits", sentence, cure)


def _unknown(
    manifest: Manifest, trail: Trail, aim: Aim, prepared: Prepared | None, inputs: FoundInputs
) -> Iterator[str]:
    if not any(weights.leaves for weights in trail.weights):
        yield "the original holds no digest of any weights: nothing could be compared"
    data = inputs.data.named(NOT_LOOKED_AT)
    unseen = [*inputs.not_looked_at, *(source.target for source in data)]
    if unseen:
        more = f" and {len(unseen) - 1:,} more" if len(unseen) > 1 else ""
        yield (
            f"{unseen[0]}{more}: not looked at; it is a path of the system or of settings, or came "
            "after 64 GB or 60 s of other data"
        )
    for source in inputs.data.named("not told"):
        if isinstance(source.files, InputFolder):
            yield f"the content of {source.files} was not recorded, {source.files.digest}"
    if isinstance(manifest.description.runtime, Unavailable):
        why = manifest.description.runtime
        yield f"the original's processor and threads are not recorded: {why}"
    known = aim.by_hand or prepared is None or aim.environment in ("auto", "here", "rebuild")
    if not known:
        yield f"the packages of {aim.environment} are not checked"


def _here(original: Manifest, host: Host, aim: Aim) -> Manifest:
    """Return the record that training here would make, as far as it can be known before."""
    # The rest depends on the script (how it compiles the model, whether it turns determinism on):
    # it is taken from the original. So is a part that the original did not record.
    execution, description = original.execution, original.description
    changes: dict[str, object] = {"command": _command(execution.command, host, aim)}
    if not isinstance(execution.packages, Unavailable):
        changes["packages"] = installed_packages(host)
    if aim.seed is not None:
        changes["seed"] = str(aim.seed)
    if aim.deterministic is not None:
        changes["deterministic"] = aim.deterministic
    found = {
        "machine": probe_machine(host),
        "runtime": _runtime(description.runtime, host, aim),
        "accelerator": _accelerator(description.accelerator, host),
    }
    return original.model_copy(
        update={
            "execution": execution.model_copy(update=changes),
            "description": description.model_copy(update=found),
        }
    )


def _command(recorded: Command | Unavailable, host: Host, aim: Aim) -> Command | Unavailable:
    if isinstance(recorded, Unavailable):
        return recorded
    switches = {name: host.environ[name] for name in RESTORED if name in host.environ}
    return recorded.model_copy(update={"environment": {**switches, **aim.sets}})


def _runtime(recorded: Runtime | Unavailable, host: Host, aim: Aim) -> Runtime | Unavailable:
    if isinstance(recorded, Unavailable):
        return recorded
    framework = recorded.framework
    width, source = effective_width(host, framework)
    if not isinstance(framework, Unavailable) and aim.deterministic is not None:
        framework = framework.model_copy(update={"op_determinism": aim.deterministic})
    return recorded.model_copy(
        update={
            "framework": framework,
            "processor": probe_processor(host),
            "intra_op_threads": aim.threads or width,
            "intra_op_source": "as asked" if aim.threads else source,
            "hash_seed": host.environ.get("PYTHONHASHSEED", "") or "random",
        }
    )


def _accelerator(recorded: Accelerator | Unavailable, host: Host) -> Accelerator | Unavailable:
    """Return the GPUs here; the packages show the versions that TensorFlow was built with."""
    if isinstance(recorded, Unavailable):
        return recorded
    current = probe_accelerator(host)
    return recorded.model_copy(
        update={"gpus": current.gpus, "driver": current.driver, "cuda_driver": current.cuda_driver}
    )
