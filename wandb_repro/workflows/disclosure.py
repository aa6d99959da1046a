"""Lists what a run uploads: its record, its source tree, W&B's own files."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from wandb_repro.capture.secrets.redact import REDACTED, redact_arguments
from wandb_repro.capture.secrets.scan import secret_in_text
from wandb_repro.errors import CodeError
from wandb_repro.files import open_regular
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.command import Command
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.report.disclosure import Uploads
from wandb_repro.report.text import count
from wandb_repro.rerun.bundle_secrets import secrets_in_bundle
from wandb_repro.store.capsule import FOLDER, Capsule
from wandb_repro.workflows.stored_code import bundle_of

_MOST_FILES = 10_000
_LOG_READ_BYTES = 64 * 1024 * 1024
_SCANNED_BYTES = 50_000_000
_NAMED = 20
_CHANGE = "take it out, and change it: it may be in the repository's history"


def uploads_of(capsule: Capsule, manifest: Manifest, *, remote: bool) -> Uploads:
    """Return what a run uploads; without W&B's own files if its capsule was downloaded."""
    run_folder = None if remote else _run_folder(capsule)
    theirs = dict(_files(run_folder)) if run_folder else {}
    execution = manifest.execution
    code, command = execution.code, execution.command
    return Uploads(
        offline=manifest.run.offline and not remote,
        ours={path: size for path, size in _files(capsule.folder) if not path.startswith(".")},
        source=_source(code),
        left_out=code.left_out if isinstance(code, Code) else (),
        fields={
            "run": _known_fields(manifest.run),
            "execution": _known_fields(manifest.execution),
            "description": _known_fields(manifest.description),
        },
        environment=tuple(sorted(command.environment)) if isinstance(command, Command) else (),
        theirs={path: size for path, size in theirs.items() if not path.startswith(_NOT_THEIRS)},
        warnings=tuple(_warnings(capsule, manifest, run_folder)),
    )


_NOT_THEIRS = (f"files/{FOLDER}/", "logs/", "tmp/")
"""The record, and files that W&B keeps on this machine."""


def _run_folder(capsule: Capsule) -> Path | None:
    """Return W&B's folder of the run that a capsule is part of; None if it is in no run folder."""
    files = capsule.folder.parent
    return files.parent if (capsule.folder.name, files.name) == (FOLDER, "files") else None


def _files(folder: Path) -> Iterator[tuple[str, int]]:
    """Yield the files of a folder, sorted, with sizes; links are not followed."""
    found: list[tuple[str, int]] = []
    for above, folders, names in os.walk(folder):
        folders.sort()
        for name in sorted(names):
            path = Path(above, name)
            found.append((path.relative_to(folder).as_posix(), path.lstat().st_size))
            if len(found) == _MOST_FILES:
                return iter(found)
    return iter(found)


def _source(code: Code | Unavailable) -> str:
    if isinstance(code, Unavailable):
        return f"not uploaded: {code}"
    if not isinstance(code.bundle, BundleFile):
        return f"not uploaded: {code.bundle}"
    if code.bundle.kept == "local":
        return "not uploaded: code=local keeps it on this machine"
    return f"{count(code.files, 'file')}, tracked and untracked, in code.bundle"


def _known_fields(record: BaseModel) -> tuple[str, ...]:
    fields = type(record).model_fields
    return tuple(
        name for name in fields if not isinstance(getattr(record, name), Unavailable | None)
    )


def _warnings(
    capsule: Capsule, manifest: Manifest, run_folder: Path | None
) -> Iterator[tuple[str, str]]:
    yield from _in_source(capsule, manifest.execution.code)
    yield from _in_config(manifest)
    if run_folder is not None:
        yield from _in_arguments(manifest.execution.command, run_folder)
        yield from _in_files(run_folder)


def _in_source(capsule: Capsule, code: Code | Unavailable) -> Iterator[tuple[str, str]]:
    if not isinstance(code, Code) or not isinstance(code.bundle, BundleFile):
        return
    if code.bundle.kept == "local":
        return
    try:
        found = secrets_in_bundle(bundle_of(capsule, code), code)
    except (CodeError, OSError) as error:
        yield f"the source tree could not be searched for secrets: {error}", ""
        return
    for path, why in list(found.items())[:_NAMED]:
        yield f"{path} is committed and so in the source tree, and {why}", _CHANGE
    if len(found) > _NAMED:
        yield f"{count(len(found) - _NAMED, 'file')} more of the source tree look like it", _CHANGE


def _in_config(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield a warning for each credential in W&B's config."""
    config = manifest.execution.config
    if isinstance(config, Unavailable):
        return
    for name, value in config.items():
        if isinstance(value, str) and redact_arguments([f"{name}={value}"])[1]:
            yield f"config.{name} looks like a credential", "leave it out of wandb's config"


def _in_arguments(command: Command | Unavailable, run_folder: Path) -> Iterator[tuple[str, str]]:
    """Yield a warning if W&B has the credentials that we removed from the arguments."""
    # W&B reads the arguments when wandb.init is called.
    if isinstance(command, Unavailable) or not command.redacted:
        return
    for log in run_folder.glob("*.wandb"):
        try:
            with open_regular(log, follow_links=False) as file:
                is_redacted = REDACTED.encode() in file.read(_LOG_READ_BYTES)
        except OSError:  # a pipe or a device, which W&B writes none of
            continue
        if not is_redacted:
            yield (
                "W&B itself has the whole command line, with the credentials that we cut from it",
                "start the run by wandb_repro.init, or give credentials as environment variables",
            )


def _in_files(run_folder: Path) -> Iterator[tuple[str, str]]:
    for name, _ in _files(run_folder / "files"):
        path = run_folder / "files" / name
        if name.startswith(f"{FOLDER}/") or path.is_symlink() or not path.is_file():
            continue
        if path.stat().st_size < _SCANNED_BYTES:
            with open_regular(path, follow_links=False) as file:
                why = secret_in_text(file.read(_SCANNED_BYTES), name.encode())
            if why:
                yield f"W&B's file {name}: {why}", "keep it from being printed or saved"
