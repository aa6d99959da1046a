"""Where the data of a run is now: looked for, and compared with what was recorded, before training.

In this order: where ``--data NAME=PATH`` says; where it was; in the source tree, once that is
restored; in the version of a W&B artifact that it came from.
"""

from __future__ import annotations

import os
import posixpath
import shutil
import tempfile
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wandb_repro.capture.dataset.files import KnownFiles, digest_files
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.errors import DigestError, InconclusiveError, RefusedError, UsageError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.data import DataFiles
from wandb_repro.manifest.manifest import Manifest

__all__ = ["Source", "Sources", "check_restored", "find_sources", "refuse_lacking"]

Fetch = Callable[[str, Path], Path]
"""Downloads a version of an artifact into a folder; returns where it is."""


@dataclass(frozen=True)
class Source:
    """A named part of the data that lies in a file or folder."""

    name: str
    files: DataFiles
    place: str | None
    """POSIX, relative to the restored tree: where the script looks; None where it names an
    absolute path outside of it."""
    target: str
    """Absolute path where it is looked for."""
    state: str
    """``same``, ``missing``, ``changed`` or ``not told``; ``later`` where only the restored tree
    can tell."""

    @property
    def absolute(self) -> str:
        """Where it was, without dots in between."""
        return posixpath.normpath(self.files.absolute)

    @property
    def told(self) -> str:
        """What it is and where, for a sentence about it."""
        return f"{self.target} (data {self.name!r})"


@dataclass(frozen=True)
class Sources:
    """All of them."""

    found: tuple[Source, ...] = ()

    def named(self, state: str) -> tuple[Source, ...]:
        """Return those of one state."""
        return tuple(one for one in self.found if one.state == state)

    def covers(self, absolute: str) -> bool:
        """Tell whether a file of the original's was digested as part of a source."""
        return any(
            one.state != "not told"
            and (absolute == one.absolute or absolute.startswith(f"{one.absolute}/"))
            for one in self.found
        )


def find_sources(manifest: Manifest, code: Code, given: Mapping[str, str]) -> Sources:
    """Look for each part of the data that was recorded with its file or folder.

    Args:
        manifest: the record.
        code: its source tree.
        given: other paths, by the name of the part.

    Raises:
        UsageError: ``given`` names a part that has no file or folder in the record.
        RefusedError: the record names a path that is none.
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
    return Sources(tuple(_source(name, it, code, given.get(name)) for name, it in known.items()))


def _source(name: str, files: DataFiles, code: Code, given: str | None) -> Source:
    for path in (files.absolute, given or "/"):
        if not posixpath.isabs(path) or "\0" in path:
            raise RefusedError(f"The record names data that is no path: {path[:80]!r}.")
    relative = posixpath.relpath(files.absolute, code.root)
    inside = PurePosixPath(relative).parts[:1] != ("..",)
    place = relative if inside or not posixpath.isabs(files.path) else None
    if given is not None and place is None and given != files.absolute:
        raise UsageError(
            f"--data {name}: the script opens {files.absolute} by its absolute path, where a rerun "
            "links nothing.",
            hint=f"Put it there: ln -s {given} {files.absolute}",
        )
    target = given or posixpath.normpath(files.absolute)
    state = _state(files, target)
    in_tree = inside and state in ("missing", "changed") and not _is_left_out(relative, code)
    if given is None and (in_tree or (state == "missing" and files.artifact)):
        state = "later"
    return Source(name, files, place, target, state)


def _is_left_out(relative: str, code: Code) -> bool:
    """Tell whether the snapshot is known to lack a file, or one below a folder."""
    return any(
        left.path == relative or left.path.startswith(f"{relative}/") for left in code.left_out
    )


def _state(files: DataFiles, target: str) -> str:
    if not os.path.exists(target):  # noqa: PTH110 - False where Path.exists raises
        return "missing"
    if isinstance(files.digest, Unavailable):
        return "not told"
    known = KnownFiles()
    try:
        found = digest_files(target, Limits(), known)
    except DigestError:
        return "changed"
    finally:
        known.close()
    return "same" if found.digest == files.digest else "changed"


def refuse_lacking(how: Mapping[str, Iterable[str]]) -> None:
    """Raise for what the rerun would need: all of it, before anything is trained.

    Args:
        how: what is wrong, such as ``are not here``, and the paths of which that is so.

    Raises:
        InconclusiveError: there is any.
    """
    told = [
        f"The original used files that {wrong}: {', '.join(paths)}."
        for wrong, paths in ((wrong, list(paths)) for wrong, paths in how.items())
        if paths
    ]
    if told:
        raise InconclusiveError(
            " ".join(told),
            hint="Put them where they were, say where data is with --data NAME=PATH, or pass "
            "--allow-missing to train without them.",
        )


def check_restored(
    sources: Sources, code: Path, fetch: Fetch, *, within: Path, downloads: Path
) -> None:
    """Look for what only the restored tree can tell of, and fetch what an artifact holds.

    Args:
        sources: of the plan.
        code: the restored tree.
        fetch: downloads a version of an artifact.
        within: folder of the tree and of what is beside it: nothing is put outside.
        downloads: folder for what is downloaded, where no script looks.

    Raises:
        RefusedError: the record wants data outside the new folder.
        InconclusiveError: some of it is not there, or not as it was: all of it is told.
    """
    missing: list[str] = []
    changed: list[str] = []
    for source in sources.named("later"):
        place = Path(os.path.normpath(code / (source.place or source.absolute)))
        state, told = _state(source.files, str(place)), source.told
        # The tree may hold a part of it, which was small enough to be stored.
        if state in ("missing", "changed") and source.files.artifact:
            state, told = _fetched(source, place, fetch, within, downloads)
        elif state == "missing" and os.path.exists(source.target):  # noqa: PTH110
            state = "changed"  # it was never in the tree, and is another now
        missing += [told] if state == "missing" else []
        changed += [told] if state == "changed" else []
    refuse_lacking({"are not here": missing, "are not the same here": changed})


def _fetched(
    source: Source, place: Path, fetch: Fetch, within: Path, downloads: Path
) -> tuple[str, str]:
    """Put what an artifact holds where the script expects it; return its state, and what is told.

    It is put there only if it is the same.
    """
    artifact = source.files.artifact
    if source.place is None:
        return "missing", f"{source.told}, and the script opens it there, not as {artifact}"
    if not place.parent.resolve().is_relative_to(within.resolve()):
        raise RefusedError(f"The record puts {artifact} outside the new folder: {place}.")
    downloads.mkdir(parents=True, exist_ok=True)
    folder = Path(tempfile.mkdtemp(prefix="artifact-", dir=downloads))
    try:
        found = fetch(artifact, folder)
    except Exception as error:  # noqa: BLE001 - whatever W&B raises is why it is not here
        why = str(error).rstrip(".")
        return "missing", f"{source.told}, and {artifact} cannot be downloaded: {why}"
    target = _same_in(found, source)
    if target is None:
        return "changed", f"{source.told}, as W&B has them now in {artifact}"
    if place.is_dir() and not place.is_symlink():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)
    return "same", ""


def _same_in(found: Path, source: Source) -> Path | None:
    """Return what of an artifact is the data: a file or folder named as it was, or all of it."""
    names = PurePosixPath(source.absolute).parts[1:]
    ends = (found.joinpath(*names[first:]) for first in range(len(names) + 1))
    states = ("same", "not told")
    return next((it for it in ends if _state(source.files, str(it)) in states), None)
