"""Finds the data of a run and compares it with the record, before training.

It is looked for at the path in ``--data NAME=PATH``, else at the recorded path, then in the
restored source tree, then in the version of the W&B artifact that it came from.
"""

from __future__ import annotations

import os
import posixpath
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from wandb_repro.capture.dataset.data_files import digest_files
from wandb_repro.capture.dataset.file_digest_cache import FileDigestCache
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.errors import DigestError, InconclusiveError, RefusedError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.data import DataFiles
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.path_map import is_absolute, levels_up, relative_to_tree


@dataclass(frozen=True)
class Source:
    """A named part of the data that is in a file or folder."""

    name: str
    files: DataFiles
    place: str | None
    """POSIX, relative to the restored tree: where the script looks; None if it uses an
    absolute path outside the tree."""
    target: str
    """Absolute path where the data is expected."""
    state: str
    """``same``, ``missing``, ``changed`` or ``not told``; ``later`` if only the restored tree
    shows it."""

    @property
    def absolute(self) -> str:
        """Recorded path, normalised."""
        return posixpath.normpath(self.files.absolute)

    @property
    def label(self) -> str:
        """Path and name, for messages."""
        return f"{self.target} (data {self.name!r})"


@dataclass(frozen=True)
class Sources:
    """All data that was recorded with its file or folder."""

    found: tuple[Source, ...] = ()

    def named(self, state: str) -> tuple[Source, ...]:
        """Return the sources in one state."""
        return tuple(source for source in self.found if source.state == state)

    def covers(self, absolute: str) -> bool:
        """Tell whether a file of the original was digested as part of a source."""
        return any(
            source.state != "not told"
            and (absolute == source.absolute or absolute.startswith(f"{source.absolute}/"))
            for source in self.found
        )


def find_sources(manifest: Manifest, code: Code, given: Mapping[str, str]) -> Sources:
    """Look for each part of the data that was recorded with its file or folder.

    ``given`` maps the names of parts that were moved to their paths.

    Raises:
        UsageError: ``given`` names a part that has no file or folder in the record.
        RefusedError: a path in the record is invalid.
    """
    data = manifest.description.data
    parts = () if isinstance(data, Unavailable) else data
    known = {part.name: part.files for part in parts if part.files is not None}
    unknown = sorted(set(given) - set(known))
    if unknown:
        names = ", ".join(known) or "none: give fingerprint() a path="
        raise UsageError(
            f"--data {unknown[0]}: the run recorded no data of this name with its file or folder.",
            hint=f"There are {names}.",
        )
    return Sources(
        tuple(_source(name, files, code, given.get(name)) for name, files in known.items())
    )


def _source(name: str, files: DataFiles, code: Code, given: str | None) -> Source:
    for path in (files.absolute, given or "/"):
        if not is_absolute(path):
            raise RefusedError(f"The record names data by an invalid path: {path[:80]!r}.")
    place = relative_to_tree(files.absolute, code.root, opened_as=files.path)
    if given is not None and place is None and given != files.absolute:
        raise UsageError(
            f"--data {name}: the script opens {files.absolute} by its absolute path, where a rerun "
            "links nothing.",
            hint=f"Put it there: ln -s {given} {files.absolute}",
        )
    target = given or posixpath.normpath(files.absolute)
    state = state_of(files, target)
    in_tree = state in ("missing", "changed") and _may_be_in_tree(place, code)
    if given is None and (in_tree or (state == "missing" and files.artifact)):
        state = "later"
    return Source(name, files, place, target, state)


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
    if not os.path.exists(target):  # noqa: PTH110 - False where Path.exists raises
        return "missing"
    if isinstance(files.digest, Unavailable):
        return "not told"
    cache = FileDigestCache()
    try:
        current = digest_files(target, Limits(), cache)
    except DigestError:
        return "changed"
    finally:
        cache.close()
    return "same" if current.digest == files.digest else "changed"


def refuse_faults(faults: Mapping[str, Sequence[str]]) -> None:
    """Check that no file is missing or changed.

    Args:
        faults: paths by what is wrong with the files, such as ``are not here``.

    Raises:
        InconclusiveError: there is a path; the error names all of them.
    """
    sentences = [
        f"The original used files that {fault}: {', '.join(paths)}."
        for fault, paths in faults.items()
        if paths
    ]
    if sentences:
        raise InconclusiveError(
            " ".join(sentences),
            hint="Put them where they were, say where data is with --data NAME=PATH, or pass "
            "--allow-missing to train without them.",
        )
