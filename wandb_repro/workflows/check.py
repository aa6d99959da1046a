"""Before a rerun: this machine is looked at, and what it would give is foreseen. Nothing runs."""

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
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.data import InputFile
from wandb_repro.manifest.machine import Accelerator, Framework, Runtime
from wandb_repro.manifest.manifest import Manifest, run_name
from wandb_repro.manifest.packages import Packages
from wandb_repro.manifest.switches import RESTORED
from wandb_repro.manifest.trail import Trail
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.fetch import RemoteRun
from wandb_repro.store.local import read_manifest, read_trail
from wandb_repro.verify.audit import audit
from wandb_repro.verify.finding import Finding, Kind
from wandb_repro.verify.manifest_diff import differences
from wandb_repro.verify.prediction import Prediction, predict
from wandb_repro.workflows.prepare_rerun import Prepared, prepare
from wandb_repro.workflows.rerun_options import RerunOptions

_DIGESTED_BYTES = 4 << 30


@dataclass(frozen=True)
class Aim:
    """What somebody means to do."""

    by_hand: bool = False
    """Start the command in this shell and environment, rather than by ``rerun``."""
    environment: str = "auto"
    base_python: Path | None = None
    threads: int | None = None
    sets: Mapping[str, str] = field(default_factory=dict[str, str])
    seed: int | None = None
    deterministic: bool | None = None


def look(capsule: Capsule, aim: Aim, work: Path, *, found: RemoteRun | None = None) -> Prediction:
    """Return what training here would give. Nothing of the capsule is executed or written.

    Args:
        capsule: of the run.
        aim: what is meant to be done.
        work: a folder that is not there, standing for the rerun's.
        found: the run as W&B knows it, where the capsule is from there.

    Raises:
        ReproError: the capsule cannot be read or believed, or the aim is wrong use.
    """
    manifest, trail = read_manifest(capsule), read_trail(capsule)
    prepared, stopped = (None, ()) if aim.by_hand else _prepared(capsule, aim, work, found)
    return predict(
        run_name(manifest),
        "by hand" if aim.by_hand else "rerun",
        _environment(aim, prepared),
        [
            *stopped,
            *_of_record(manifest, trail, by_hand=aim.by_hand),
            *_inputs(manifest),
            *_differences(manifest, aim),
        ],
        rebuilt=prepared is not None and prepared.choice.python is None,
        kept=frozenset({*(("intra-op threads",) if aim.threads else ()), *aim.sets}),
        unknown=tuple(_unknown(manifest, trail, aim, prepared)),
    )


def _environment(aim: Aim, prepared: Prepared | None) -> str:
    if prepared is not None:
        return prepared.choice.reason
    return "the current one" if aim.by_hand else ""


def _differences(manifest: Manifest, aim: Aim) -> Iterator[Finding]:
    """Yield what differs here; for a rerun also this shell's switches, which it will not use."""
    host = Host()
    here = _here(manifest, host, aim)
    if aim.by_hand:
        yield from differences(manifest, here)
        return
    kept = _with_variables(here, manifest, aim.sets)
    yield from (one for one in differences(manifest, kept))
    yield from (
        one
        for one in differences(manifest, here)
        if one.kind == "switch" and one.fact not in (*aim.sets, "PYTHONHASHSEED")
    )


def _with_variables(here: Manifest, original: Manifest, sets: Mapping[str, str]) -> Manifest:
    """Return the record of a rerun here: its variables are the original's, but for those set."""
    command = original.execution.command
    if isinstance(command, Unavailable):
        return here
    environment = {**command.environment, **sets}
    changed = {"command": command.model_copy(update={"environment": environment})}
    return here.model_copy(update={"execution": here.execution.model_copy(update=changed)})


def _prepared(
    capsule: Capsule, aim: Aim, work: Path, found: RemoteRun | None
) -> tuple[Prepared | None, tuple[Finding, ...]]:
    """Return the rerun as it would be carried out, or why it would be refused."""
    command = read_manifest(capsule).execution.command
    cut = () if isinstance(command, Unavailable) else command.redacted
    options = RerunOptions(
        environment=aim.environment,
        base_python=aim.base_python,
        threads=aim.threads,
        sets=aim.sets,
        values=dict.fromkeys(cut, "not looked at"),
        allow_missing=True,
    )
    try:
        return prepare(capsule, work, options, found=found), ()
    except (RefusedError, InconclusiveError) as error:
        return None, (_finding("command", "rerun", "stops", error.message, error.hint),)


def _of_record(manifest: Manifest, trail: Trail, *, by_hand: bool) -> Iterator[Finding]:
    """Yield what the record alone says; by hand, nobody needs its tree or its packages."""
    own = by_hand, frozenset({"code", "package", "command"})
    for one in audit(manifest, trail):
        if (
            one.effect != "explains"
            and not (own[0] and one.kind in own[1])
            and one.fact != "weights"
        ):
            yield one


def _inputs(manifest: Manifest) -> Iterator[Finding]:
    """Yield files that the original read and that are not here, or not the same."""
    recorded = manifest.description.inputs
    for file in () if isinstance(recorded, Unavailable) else recorded:
        path = Path(file.absolute)
        try:
            there = path.exists()
        except (OSError, ValueError):
            there = False
        if not there:
            yield _finding(
                "data",
                file.path,
                "stops",
                f"The original read {file.absolute}, which is not here",
                "put it where it was",
            )
        elif other := _what_differs(file, path):
            yield _finding(
                "data", file.path, "changes bits", f"{file.absolute} {other}", _DATA_CURE
            )


_DATA_CURE = "put the file there that the original read"


def _what_differs(file: InputFile, path: Path) -> str:
    """Return how a file differs from what was read; empty where it does not, as far as is known."""
    try:
        size = path.stat().st_size
        if path.is_dir():
            return ""
        if isinstance(file.size_bytes, int) and size != file.size_bytes:
            return f"has {size:,} bytes here and had {file.size_bytes:,}"
        if (
            isinstance(file.digest, str)
            and size <= _DIGESTED_BYTES
            and file.digest != f"sha256:{sha256_of_file(path)}"
        ):
            return "has other content than the original read"
    except OSError as error:
        return f"cannot be read: {error.strerror}"
    return ""


def _unknown(
    manifest: Manifest, trail: Trail, aim: Aim, prepared: Prepared | None
) -> Iterator[str]:
    if not any(weights.leaves for weights in trail.weights):
        yield "the original holds no digest of any weights: nothing could be compared"
    if isinstance(manifest.description.runtime, Unavailable):
        why = manifest.description.runtime
        yield f"the original's processor and threads are not recorded: {why}"
    known = aim.by_hand or prepared is None or aim.environment in ("auto", "here", "rebuild")
    if not known:
        yield f"the packages of {aim.environment} are not checked"


def _finding(kind: Kind, fact: str, effect: str, sentence: str, cure: str) -> Finding:
    return Finding.model_validate(
        {
            "kind": kind,
            "fact": fact,
            "original": "",
            "here": "",
            "effect": effect,
            "sentence": sentence.rstrip("."),
            "cure": cure.rstrip("."),
        }
    )


def _here(original: Manifest, host: Host, aim: Aim) -> Manifest:
    """Return the record that training here would make, as far as it can be known before.

    What only a training tells (how the model is compiled, whether the script turns determinism
    on) is the script's, and taken as it was.
    """
    execution, description = original.execution, original.description
    wished = {
        "command": _command(execution.command, host, aim),
        "packages": _packages(execution.packages, host),
        **({} if aim.seed is None else {"seed": str(aim.seed)}),
        **({} if aim.deterministic is None else {"deterministic": aim.deterministic}),
    }
    found = {
        "machine": probe_machine(host),
        "runtime": _runtime(description.runtime, host, aim),
        "accelerator": _accelerator(description.accelerator, host),
    }
    return original.model_copy(
        update={
            "execution": execution.model_copy(update=wished),
            "description": description.model_copy(update=found),
        }
    )


def _command(recorded: Command | Unavailable, host: Host, aim: Aim) -> Command | Unavailable:
    if isinstance(recorded, Unavailable):
        return recorded
    mine = {name: host.environ[name] for name in RESTORED if name in host.environ}
    return recorded.model_copy(update={"environment": {**mine, **aim.sets}})


def _packages(recorded: Packages | Unavailable, host: Host) -> Packages | Unavailable:
    if isinstance(recorded, Unavailable):
        return recorded
    return installed_packages(host)


def _runtime(recorded: Runtime | Unavailable, host: Host, aim: Aim) -> Runtime | Unavailable:
    if isinstance(recorded, Unavailable):
        return recorded
    width, source = effective_width(host, recorded.framework)
    return recorded.model_copy(
        update={
            "framework": _framework(recorded.framework, aim),
            "processor": probe_processor(host),
            "intra_op_threads": aim.threads or width,
            "intra_op_source": "as asked" if aim.threads else source,
            "hash_seed": host.environ.get("PYTHONHASHSEED", "") or "random",
        }
    )


def _framework(recorded: Framework | Unavailable, aim: Aim) -> Framework | Unavailable:
    if isinstance(recorded, Unavailable) or aim.deterministic is None:
        return recorded
    return recorded.model_copy(update={"op_determinism": aim.deterministic})


def _accelerator(recorded: Accelerator | Unavailable, host: Host) -> Accelerator | Unavailable:
    """Return the GPUs here; the TensorFlow package records what it was built with."""
    if isinstance(recorded, Unavailable):
        return recorded
    found = probe_accelerator(host)
    return recorded.model_copy(
        update={"gpus": found.gpus, "driver": found.driver, "cuda_driver": found.cuda_driver}
    )
