"""Looks for files that the original read outside its snapshot, before a rerun is planned."""

from __future__ import annotations

import os
import posixpath
import stat
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace

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
from wandb_repro.rerun.looking import Looking
from wandb_repro.rerun.path_map import is_absolute, relative_to_tree


@dataclass(frozen=True)
class FoundInputs:
    """The original's input files, as they are on this disk."""

    data: Sources = field(default_factory=Sources)
    """Files and folders of data that was fingerprinted with its path."""
    missing: tuple[str, ...] = ()
    """Absolute paths of other files that are not here."""
    changed: Mapping[str, str] = field(default_factory=dict[str, str])
    """How other files differ from what the original read, in words, by their absolute path."""
    not_looked_at: tuple[str, ...] = ()
    """Absolute paths of other files that are nowhere where data is, or after too much data."""
    moved: Mapping[str, str] = field(default_factory=dict[str, str])
    """Where other files are now, by their recorded path, if ``--data`` says so."""


def find_inputs(
    manifest: Manifest, code: Code, given: Mapping[str, str], looking: Looking | None = None
) -> FoundInputs:
    """Look for every file that the original read outside its snapshot, and compare it.

    ``given`` maps the names of data that was moved, or recorded paths, to absolute paths;
    ``looking`` limits what is read.

    Raises:
        UsageError: ``given`` names data without a file or folder in the record, or data that the
            script opens by its absolute path.
        RefusedError: a path of data in the record is invalid.
    """
    places, looking = Given(given), looking or Looking()
    data = find_sources(manifest, code, places, looking)
    # A relative path of a hostile record would be looked for wherever we were started.
    files = [file for file in files_outside_data(manifest, data) if is_absolute(file.absolute)]
    moved = dict(_moved(files, code, places))
    places.check_used([source.name for source in data.found])
    here = [
        file.model_copy(update={"absolute": moved.get(file.absolute, file.absolute)})
        for file in files
    ]
    found = find_files(here, code.root, looking, given=frozenset(moved.values()))
    return replace(found, data=data, moved=moved)


def find_files(
    files: Iterable[InputFile],
    root: str,
    looking: Looking,
    *,
    given: frozenset[str] = frozenset(),
) -> FoundInputs:
    """Look for files that the original read, below or beside its tree ``root``.

    Those whose absolute path is in ``given`` were named by the person.
    """
    missing, changed, unseen = list[str](), dict[str, str](), list[str]()
    for file in files:
        path = file.absolute
        if path not in given and not looking.may_read(posixpath.normpath(path), root):
            unseen.append(path)
        # Path.exists raises for some paths where os.path.exists is False.
        elif not os.path.exists(path):  # noqa: PTH110
            missing += [] if _is_downloaded(path) else [path]
        elif difference := changed_file(file, looking):
            changed[path] = difference
    return FoundInputs(Sources(), tuple(missing), changed, tuple(unseen))


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


def changed_file(file: InputFile, looking: Looking) -> str:
    """Return how a file differs from the record, in words; empty if it does not.

    A path that cannot be read, or is no regular file, is left to the script.
    """
    size_bytes = _regular_size(file.absolute)
    if size_bytes is None:
        return ""
    if isinstance(file.size_bytes, int) and file.size_bytes != size_bytes:
        return f"has {size_bytes:,} bytes here and had {file.size_bytes:,}"
    if not isinstance(file.digest, str):
        return ""
    looking.spend(size_bytes)
    digest = "" if looking.is_used_up else _digest(file.absolute, size_bytes, looking.until)
    return "" if digest in ("", file.digest) else "has other content than the original read"


def _regular_size(path: str) -> int | None:
    """Return a regular file's size in bytes; a record may name a pipe, which has no end."""
    try:
        status = os.stat(path)  # noqa: PTH116
    except OSError:
        return None
    return status.st_size if stat.S_ISREG(status.st_mode) else None


def _digest(path: str, size_bytes: int, until: float) -> str:
    """Return ``sha256:HEX``; empty if the file cannot be read, or not in time."""
    try:
        return f"sha256:{sha256_of_file(path, most_bytes=size_bytes, until=until)}"
    except OSError:
        return ""
