"""Which source tree to record, and which part of it, by W&B's settings and ours."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.process.command import probe_command
from wandb_repro.capture.source.include_exclude import Selection
from wandb_repro.capture.source.limits import Limits
from wandb_repro.capture.source.read_extra_files import ExtraLimits
from wandb_repro.capture.source.root import innermost_repository, repository_top
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.request import Options
from wandb_repro.recording.options import project_file

_BYTES = 1024 * 1024


@dataclass(frozen=True)
class Wanted:
    """The source tree to record."""

    start: Path
    """Absolute path of a folder in the tree."""
    limits: Limits
    selection: Selection


def wanted(settings: object, host: Host, options: Options) -> Wanted:
    """Return the tree to record; ``settings`` are W&B's, None before there are any."""
    return Wanted(
        start_folder(settings, host), limits_of(options), _selection(settings, host, options)
    )


def start_folder(settings: object, host: Host) -> Path:
    """Return a folder of the tree: W&B's ``git_root`` if the user set it, else the script's.

    ``code_dir`` selects a part of that tree; if it is elsewhere, it is the tree itself.
    """
    chosen = _git_root(settings, host)
    if chosen is not None:
        return chosen
    start = _script_folder(host)
    code_dir = _folder(settings, host, "code_dir")
    top = repository_top(_real(start)) or _real(start)
    if code_dir is None or _real(code_dir).is_relative_to(top):
        return start
    return code_dir


def _selection(settings: object, host: Host, options: Options) -> Selection:
    """Return which part of the tree to record; it always includes the script and our settings."""
    code_dir, script = _folder(settings, host, "code_dir"), _script(host)
    project = project_file(Path(host.started_in))
    return Selection(
        include=options.include,
        exclude=options.exclude,
        not_secret=options.not_secret,
        folders=() if code_dir is None else (code_dir,),
        base=Path(host.started_in) if project is None else project.parent,
        always=tuple(_real(file) for file in (script, project) if file is not None),
    )


def limits_of(options: Options) -> Limits:
    """Return how much a snapshot may hold."""
    return Limits(
        file_bytes=int(options.max_file_mb * _BYTES),
        total_bytes=int(options.max_total_mb * _BYTES),
        untracked_files=options.max_untracked_files,
    )


def added_limits_of(options: Options) -> ExtraLimits:
    """Return how much may be stored in addition to the snapshot."""
    return ExtraLimits(
        file_bytes=int(options.max_added_file_mb * _BYTES),
        total_bytes=int(options.max_added_total_mb * _BYTES),
        files=options.max_added_files,
    )


def _real(path: Path) -> Path:
    return Path(os.path.realpath(path))


def _script(host: Host) -> Path | None:
    command = guarded(lambda: probe_command(host, None), "command")
    if isinstance(command, Command) and command.kind == "script":
        return Path(host.started_in) / command.target
    return None


def _script_folder(host: Host) -> Path:
    script = _script(host)
    return Path(host.started_in) if script is None else script.parent


def _git_root(settings: object, host: Host) -> Path | None:
    """Return ``git_root`` if the user set it."""
    # NOTE: otherwise W&B sets it to the repository around its ``root_dir``, which contains its
    # own folder (wandb 0.31, ``Settings.infer_git_root``).
    root = _folder(settings, host, "git_root")
    if root is None or host.environ.get("WANDB_GIT_ROOT"):
        return root
    around = _folder(settings, host, "root_dir")
    inferred = None if around is None else innermost_repository(_real(around))
    return None if _real(root) == inferred else root


def _folder(settings: object, host: Host, setting: str) -> Path | None:
    """Return a folder that one of W&B's settings names; None if it does not exist."""
    value = getattr(settings, setting, None)
    if not isinstance(value, str) or not value:
        return None
    folder = Path(host.started_in) / Path(value).expanduser()
    return folder if folder.is_dir() else None
