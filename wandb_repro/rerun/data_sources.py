"""Finds the data of a run and compares it with the record, before training.

This includes folders that the run read, whose name is their path. Each is looked for at the path
in ``--data NAME=PATH``, else at the recorded path, then in the
restored source tree, then in the version of the W&B artifact that it came from.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wandb_repro.capture.dataset.data_files import digest_files
from wandb_repro.capture.dataset.file_digest_cache import FileDigestCache
from wandb_repro.capture.dataset.folder_difference import folder_differences
from wandb_repro.capture.source.data_places import may_hold_data
from wandb_repro.errors import DigestError, InconclusiveError, RefusedError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.data import DataFiles, InputFolder, is_download_cache, is_used_up
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.looking import NOT_LOOKED_AT, Looking
from wandb_repro.rerun.path_map import is_absolute, levels_up, relative_to_tree


@dataclass(frozen=True)
class Source:
    """A part of the data that is in a file or folder, or a folder that the run read."""

    name: str
    """As in ``--data NAME=PATH``: of the part, or the folder's path."""
    files: DataFiles
    place: str | None
    """POSIX, relative to the restored tree: where the script looks; None if it uses an
    absolute path outside the tree."""
    target: str
    """Absolute path where the data is expected."""
    state: str
    """``same``, ``missing``, ``changed`` or ``not told``; ``later`` if only the restored tree
    shows it; ``downloaded`` if it is missing and the script downloads it again; ``not looked at``
    if it is nowhere where data is, or too much was read before it."""
    difference: str = ""
    """What changed, in words; empty if nothing did or it is not known."""

    @property
    def absolute(self) -> str:
        """Recorded path, normalised."""
        return posixpath.normpath(self.files.absolute)

    @property
    def label(self) -> str:
        """Path and name, for messages."""
        if isinstance(self.files, InputFolder):
            return f"{self.target} ({self.difference})" if self.difference else self.target
        return f"{self.target} (data {self.name!r})"


@dataclass(frozen=True)
class Sources:
    """All data that was recorded with its file or folder, and all folders that the run read."""

    found: tuple[Source, ...] = ()

    def named(self, state: str) -> tuple[Source, ...]:
        """Return the sources in one state."""
        return tuple(source for source in self.found if source.state == state)

    def covers(self, absolute: str) -> bool:
        """Tell whether a file of the original was digested as part of a source."""
        return any(
            source.state not in ("not told", NOT_LOOKED_AT)
            and (absolute == source.absolute or absolute.startswith(f"{source.absolute}/"))
            for source in self.found
        )


class Given:
    """The paths in ``--data NAME=PATH``.

    Args:
        paths: absolute paths, by the name of a part of the data, or by the path of a file or
            folder that the run read, or of a folder around it.
    """

    def __init__(self, paths: Mapping[str, str]) -> None:
        self._paths = dict(paths)
        self._unused = set(paths)

    def path_of(self, *names: str) -> str | None:
        """Return where the data with one of these names is now; None if it was not given."""
        for name in names:
            if name in self._paths:
                self._unused.discard(name)
                return self._paths[name]
        for key, path in self._paths.items():
            top = posixpath.normpath(key)
            inside = next((name for name in names if f"{name}/".startswith(f"{top}/")), None)
            if inside is not None:
                self._unused.discard(key)
                return posixpath.normpath(f"{path}/{inside[len(top) :]}")
        return None

    def check_used(self, names: Sequence[str]) -> None:
        """Check that each path belongs to data of the record.

        Raises:
            UsageError: one does not; the error lists ``names``.
        """
        if self._unused:
            known = ", ".join(names) or "none; give fingerprint() a path="
            raise UsageError(
                f"--data {min(self._unused)}: the run recorded no data of this name with its file "
                "or folder.",
                hint=f"Recorded: {known}.",
            )


def find_sources(manifest: Manifest, code: Code, given: Given, looking: Looking) -> Sources:
    """Look for each part of the data that was recorded with its file or folder.

    Also looks for each folder that the run read and that is not part of such data. ``looking`` is
    used up by what is read.

    Raises:
        UsageError: the script opens data that was moved by its absolute path.
        RefusedError: a path in the record is invalid.
    """
    data, folders = manifest.description.data, manifest.description.folders
    parts = () if isinstance(data, Unavailable) else data
    known = {part.name: part.files for part in parts if part.files is not None}
    read = () if isinstance(folders, Unavailable) else folders
    for files in (*known.values(), *read):
        _check_paths(files, code)
    named = Sources(
        tuple(
            _source(name, files, code, _given_for(name, files, given), looking)
            for name, files in known.items()
        )
    )
    others = (folder for folder in read if not named.covers(folder.absolute))
    return Sources(
        (
            *named.found,
            *(
                _source(each.path, each, code, _given_for(each.path, each, given), looking)
                for each in others
            ),
        )
    )


def _given_for(name: str, files: DataFiles, given: Given) -> str | None:
    return given.path_of(name, posixpath.normpath(files.path), files.absolute)


def _check_paths(files: DataFiles, code: Code) -> None:
    """Refuse a record with an invalid path before anything is read for it."""
    if not is_absolute(files.absolute):
        raise RefusedError(f"The record names data by an invalid path: {files.absolute[:80]!r}.")
    is_folder = isinstance(files, InputFolder)
    if is_folder and not may_hold_data(posixpath.normpath(files.absolute), code.root):
        raise RefusedError(f"The record names {files.absolute[:200]!r} as a folder of data.")


def _source(name: str, files: DataFiles, code: Code, given: str | None, looking: Looking) -> Source:
    if given is not None and not is_absolute(given):
        raise RefusedError(f"{given[:80]!r} is not an absolute path.")
    is_folder = isinstance(files, InputFolder)
    place = relative_to_tree(files.absolute, code.root, opened_as=files.path)
    if given is not None and place is None and given != files.absolute:
        raise absolute_path_error(name, files.absolute, given)
    target = given or posixpath.normpath(files.absolute)
    state, difference = NOT_LOOKED_AT, ""
    if given is not None or looking.may_read(target, code.root):
        state, difference = compared(files, target, looking)
    if given is None and is_folder and state == "missing" and is_download_cache(target):
        state = "downloaded"
    absent = ("missing", "changed", NOT_LOOKED_AT)
    in_tree = state in absent and not is_folder and _may_be_in_tree(place, code)
    if given is None and (in_tree or (state == "missing" and files.artifact)):
        state = "later"
    return Source(name, files, place, target, state, difference)


def absolute_path_error(name: str, absolute: str, given: str) -> UsageError:
    """Return the error for data in ``--data`` that the script opens by its absolute path."""
    return UsageError(
        f"--data {name}: the script opens {absolute} by its absolute path, where a rerun "
        "links nothing.",
        hint=f"Put it there: ln -s {given} {absolute}",
    )


def _may_be_in_tree(place: str | None, code: Code) -> bool:
    """Tell whether the restored tree may hold a path: the record does not list it as left out."""
    if place is None or levels_up(place):
        return False
    return not any(
        left.path == place or left.path.startswith(f"{place}/") for left in code.left_out
    )


def state_of(files: DataFiles, target: str) -> str:
    """Compare what is at the absolute path ``target`` with the recorded files.

    Returns ``same``, ``missing``, ``changed``, or ``not told`` if none was recorded.
    """
    return compared(files, target, Looking())[0]


def compared(files: DataFiles, target: str, looking: Looking) -> tuple[str, str]:
    """Return the state of recorded files at an absolute path, and what changed, in words."""
    state, difference = _compared(files, target, looking)
    # A file that takes too long to read cannot be called another one.
    return (NOT_LOOKED_AT, "") if state == "changed" and looking.is_used_up else (state, difference)


def _compared(files: DataFiles, target: str, looking: Looking) -> tuple[str, str]:
    if isinstance(files, InputFolder) and is_used_up(files):
        return "not told", ""
    if not os.path.exists(target):  # noqa: PTH110 - False where Path.exists raises
        return "missing", ""
    if isinstance(files, InputFolder):
        return _compared_folder(files, target, looking)
    if isinstance(files.digest, Unavailable):
        return "not told", ""
    cache = FileDigestCache()
    try:
        current = digest_files(target, looking.limits, cache)
    except DigestError:
        return "changed", ""
    finally:
        cache.close()
    looking.spend(current.files.size_bytes)
    return ("same" if current.digest == files.digest else "changed"), ""


def _compared_folder(folder: InputFolder, target: str, looking: Looking) -> tuple[str, str]:
    looking.spend(folder.size_bytes)
    try:
        difference = folder_differences(folder, target, looking.limits)
    except DigestError as error:
        return "changed", error.message
    if difference:
        return "changed", difference
    return ("not told" if isinstance(folder.digest, Unavailable) else "same"), ""


def refuse_faults(faults: Mapping[str, Sequence[str]], names: Sequence[str] = ()) -> None:
    """Check that no file is missing or changed.

    Args:
        faults: paths by what is wrong with the files: ``ARE_MISSING`` or ``HAVE_CHANGED``.
        names: of the data among them, for the hint.

    Raises:
        RefusedError: a file or folder is missing; the error names all faults.
        InconclusiveError: all are there, and some have changed.
    """
    sentences = [
        f"The original used files that {fault}: {', '.join(paths)}."
        for fault, paths in faults.items()
        if paths
    ]
    if sentences:
        kind = RefusedError if faults.get(ARE_MISSING) else InconclusiveError
        name = names[0] if names else "NAME"
        raise kind(
            " ".join(sentences),
            hint=f"Put them where they were, say where data is with --data {name}=PATH, or pass "
            "--allow-missing to train without them.",
        )


ARE_MISSING = "are not here"
HAVE_CHANGED = "are not the same here"
