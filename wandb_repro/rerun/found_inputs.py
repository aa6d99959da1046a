"""Looks for files that the original read outside its snapshot, before a rerun is planned."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.data import InputFile, is_download_cache
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.data_sources import (
    Given,
    Sources,
    absolute_path_error,
    find_sources,
)
from wandb_repro.rerun.path_map import is_absolute, relative_to_tree

_DIGESTED_BYTES = 512 * 1024 * 1024
"""Of all files together. An honest record holds digests of 100 MB."""


@dataclass(frozen=True)
class FoundInputs:
    """The original's input files, as they are on this disk."""

    data: Sources = field(default_factory=Sources)
    """Files and folders of data that was fingerprinted with its path."""
    missing: tuple[str, ...] = ()
    """Absolute paths of other files that are not here."""
    changed: tuple[str, ...] = ()
    """Absolute paths of other files that differ from what the original read."""
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where other files are now, by their recorded path, if ``--data`` says so."""


def find_inputs(manifest: Manifest, code: Code, given: Mapping[str, str]) -> FoundInputs:
    """Look for every file that the original read outside its snapshot, and compare it.

    ``given`` maps the names of data that was moved, or recorded paths, to absolute paths.

    Raises:
        UsageError: ``given`` names data without a file or folder in the record, or data that the
            script opens by its absolute path.
        RefusedError: a path of data in the record is invalid.
    """
    places = Given(given)
    data = find_sources(manifest, code, places)
    # A relative path of a hostile record would be looked for wherever we were started.
    files = [file for file in files_outside_data(manifest, data) if is_absolute(file.absolute)]
    moved = dict(_moved(files, code, places))
    places.check_used([source.name for source in data.found])
    here = [
        file.model_copy(update={"absolute": moved.get(file.absolute, file.absolute)})
        for file in files
    ]
    # Path.exists raises for some paths where os.path.exists is False.
    missing = [
        file.absolute
        for file in here
        if not os.path.exists(file.absolute) and not _is_downloaded(file.absolute)  # noqa: PTH110
    ]
    changed = changed_files(file for file in here if file.absolute not in missing)
    return FoundInputs(data, tuple(missing), changed, moved)


def _is_downloaded(absolute: str) -> bool:
    """Tell whether the script downloads a file again where it is missing."""
    return is_download_cache(posixpath.dirname(absolute))


def _moved(files: Iterable[InputFile], code: Code, given: Given) -> Iterator[tuple[str, str]]:
    """Yield the recorded path and the path now of each file that ``--data`` names.

    Raises:
        UsageError: the script opens such a file by its absolute path.
    """
    for file in files:
        relative = posixpath.relpath(file.absolute, code.root)
        target = given.path_of(relative, posixpath.normpath(file.path), file.absolute)
        if target is None:
            continue
        if relative_to_tree(file.absolute, code.root, opened_as=file.path) is None:
            raise absolute_path_error(file.path, file.absolute, target)
        yield file.absolute, target


def files_outside_data(manifest: Manifest, data: Sources) -> list[InputFile]:
    """Return the recorded files that were read and are not part of fingerprinted data."""
    recorded = manifest.description.inputs
    files = () if isinstance(recorded, Unavailable) else recorded
    return [file for file in files if not data.covers(file.absolute)]


def changed_files(inputs: Iterable[InputFile]) -> tuple[str, ...]:
    """Return the absolute paths of files whose size or digest differs from the record.

    A path that cannot be read, or is no regular file, is left to the script.
    """
    left_bytes = _DIGESTED_BYTES
    changed: list[str] = []
    for file in inputs:
        size_bytes = _regular_size(file.absolute)
        if size_bytes is None:
            continue
        if isinstance(file.size_bytes, int) and file.size_bytes != size_bytes:
            changed.append(file.absolute)
        elif isinstance(file.digest, str) and size_bytes <= left_bytes:
            left_bytes -= size_bytes
            if _digest(file.absolute, size_bytes) not in ("", file.digest):
                changed.append(file.absolute)
    return tuple(changed)


def _regular_size(path: str) -> int | None:
    """Return a regular file's size in bytes; a record may name a pipe, which has no end."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _digest(path: str, size_bytes: int) -> str:
    """Return ``sha256:HEX``; empty if the file cannot be read."""
    try:
        return f"sha256:{sha256_of_file(path, most_bytes=size_bytes)}"
    except OSError:
        return ""
