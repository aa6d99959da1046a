"""Lists the differences between the records of two runs, and their possible effect on bits."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Iterator, Mapping

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.data import Dataset, InputFolder
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.switches import BIT_CHANGING, GPU_ONLY, THREADS_VARIABLE
from wandb_repro.verify.compare_values import both_recorded, differ, digests_by_name, recorded, text
from wandb_repro.verify.cpu_instructions import CAP_VARIABLES, ONEDNN_VARIABLE
from wandb_repro.verify.environment_diff import environment_differences, frameworks, has_gpu
from wandb_repro.verify.finding import Effect, Finding
from wandb_repro.verify.model_diff import model_settings
from wandb_repro.verify.processor_diff import used_classes


def differences(original: Manifest, here: Manifest) -> tuple[Finding, ...]:
    """Return everything that differs between two manifests, not ordered by likelihood."""
    return (
        *_seeds(original, here),
        *_code(original, here),
        *_command(original, here),
        *_config(original, here),
        *_data(original, here),
        *_folders(original, here),
        *model_settings(original, here),
        *environment_differences(original, here),
    )


def _seeds(original: Manifest, here: Manifest) -> Iterator[Finding]:
    yield from differ(
        "seed",
        "seed",
        original.execution.seed,
        here.execution.seed,
        "changes bits",
        f"pass seed={text(original.execution.seed)} to init",
    )
    deterministic = original.execution.deterministic
    cure = f"pass deterministic={deterministic} to init"
    if deterministic is None:
        cure = "call init without deterministic="
    known = frameworks(original, here)
    # If determinism was on, or off, in both, the argument had no effect.
    same = known is not None and known[0].op_determinism == known[1].op_determinism
    effect: Effect = "explains" if same else "changes bits"
    yield from differ(
        "determinism", "deterministic=", deterministic, here.execution.deterministic, effect, cure
    )


def _code(original: Manifest, here: Manifest) -> Iterator[Finding]:
    sides = original.execution.code, here.execution.code
    both = yield from both_recorded(Code, "code", "source tree", *sides)
    if both:
        cure = "rerun from the original's capsule, which has its whole tree"
        before, now = (code.tree[:12] for code in both)
        yield from differ("code", "source tree", before, now, "changes bits", cure)


def _command(original: Manifest, here: Manifest) -> Iterator[Finding]:
    yield from differ(
        "command",
        "processes",
        original.execution.world_size,
        here.execution.world_size,
        "changes bits",
        f"train in {original.execution.world_size} processes",
    )
    sides = original.execution.command, here.execution.command
    both = yield from both_recorded(Command, "command", "command", *sides)
    if not both:
        return
    command_1, command_2 = both
    for fact, before, now in (
        ("started", f"{command_1.kind} {command_1.target}", f"{command_2.kind} {command_2.target}"),
        ("arguments", shlex.join(command_1.arguments), shlex.join(command_2.arguments)),
        ("working directory", command_1.working_directory, command_2.working_directory),
        ("interpreter flags", command_1.interpreter_flags, command_2.interpreter_flags),
    ):
        cure = f"start it like the original: {text(before)}"
        yield from differ("command", fact, before, now, "may change bits", cure)
    used = used_classes(original, here)
    idle = CAP_VARIABLES if used is not None and used[0] == used[1] else ()
    on_gpu = any(has_gpu(manifest) for manifest in (original, here))
    idle += () if on_gpu else GPU_ONLY
    yield from _environment(command_1.environment, command_2.environment, idle)


def _environment(
    original: dict[str, str], here: dict[str, str], idle: tuple[str, ...]
) -> Iterator[Finding]:
    """Yield each variable whose value differs; those in ``idle`` have no effect in either run."""
    for name in sorted({*original, *here} - {THREADS_VARIABLE, ONEDNN_VARIABLE}):
        before, now = original.get(name, "not set"), here.get(name, "not set")
        same = name in idle or _effective(name, before) == _effective(name, now)
        effect: Effect = "changes bits" if name in BIT_CHANGING and not same else "explains"
        cure = f"unset {name}" if before == "not set" else f"set {name}={before}"
        yield from differ("switch", name, before, now, effect, cure)


def _effective(name: str, value: str) -> str:
    """Return the value that takes effect: the default of a variable that is not set."""
    return _DEFAULTS.get(name, value) if value == "not set" else value


_DEFAULTS = {"TF_DETERMINISTIC_OPS": "0"}
"""Source: TensorFlow 2.21, measured: not set and set to this gave the same bits."""


def _config(original: Manifest, here: Manifest) -> Iterator[Finding]:
    config_1, config_2 = original.execution.config, here.execution.config
    yield from recorded("config", "config", config_1, config_2)
    if isinstance(config_1, Unavailable) or isinstance(config_2, Unavailable):
        return
    for name in sorted({*config_1, *config_2}):
        before, now = _entry(config_1, name), _entry(config_2, name)
        cure = f"leave {name} out" if before == _NOT_SET else f"set it to {before}"
        yield from differ("config", f"config.{name}", before, now, "may change bits", cure)


_NOT_SET = "not set"


def _entry(config: Mapping[str, JSON], name: str) -> str:
    """Return a value as JSON: 1, 1.0 and true differ, though they are equal in Python."""
    if name not in config:
        return _NOT_SET
    value = config[name]
    return value if isinstance(value, str) else json.dumps(value, sort_keys=True)


def _data(original: Manifest, here: Manifest) -> Iterator[Finding]:
    data_1, data_2 = original.description.data, here.description.data
    yield from recorded("data", "data", data_1, data_2)
    if isinstance(data_1, Unavailable) or isinstance(data_2, Unavailable):
        return
    digests_1, digests_2 = digests_by_name(data_1), digests_by_name(data_2)
    for name in sorted({*digests_1, *digests_2}):
        fact, cure = f"data {name!r}", "train on the same data as the original"
        if name in digests_1 and name in digests_2 and _is_reordered(data_1, data_2, name):
            fact = f"order of {fact}"
            cure = "put the rows into the original's order; their content is equal"
        before = digests_1.get(name, "not fingerprinted")
        now = digests_2.get(name, "not fingerprinted")
        yield from differ("data", fact, before, now, "changes bits", cure)


def _folders(original: Manifest, here: Manifest) -> Iterator[Finding]:
    """Yield each folder that both runs read and whose content differs."""
    # A rerun does not record folders: they are compared before it starts.
    folders_1, folders_2 = (_folders_by_path(manifest) for manifest in (original, here))
    for path in sorted({*folders_1} & {*folders_2}):
        before, now = folders_1[path], folders_2[path]
        cure = "train on the same data as the original"
        both = isinstance(before.digest, str) and isinstance(now.digest, str)
        sides = (before.digest, now.digest) if both else (before.names, now.names)
        fact = f"folder {path!r}"
        yield from differ("data", fact, str(sides[0]), str(sides[1]), "changes bits", cure)


def _folders_by_path(manifest: Manifest) -> dict[str, InputFolder]:
    folders = manifest.description.folders
    known = () if isinstance(folders, Unavailable) else folders
    return {folder.path: folder for folder in known}


def _is_reordered(one: Iterable[Dataset], two: Iterable[Dataset], name: str) -> bool:
    """Tell whether a dataset has the same rows in both runs, in a different order."""
    rows_1, rows_2 = (
        [part.order_free for part in data if part.name == name] for data in (one, two)
    )
    return rows_1 == rows_2 and all(isinstance(digest, str) for digest in rows_1)
