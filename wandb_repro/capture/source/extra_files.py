"""What a run used and its snapshot lacks: read in full where it is the user's own and small.

Folders beside the source tree: how they lie to it, and what belongs to a package in them.
"""

from __future__ import annotations

import contextlib
import os
import posixpath
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wandb_repro.capture.source.bundle import PackedFile
from wandb_repro.capture.source.objects import Entry, blob_id, unsafe_path
from wandb_repro.capture.source.read_extra_files import AddedLimits, Gathering
from wandb_repro.capture.source.root import holds_more_than_code, repository_top
from wandb_repro.files import sha256_of_file
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import EXCLUDED
from wandb_repro.manifest.data import InputFile

__all__ = ["MOST_UP", "Neighbourhood", "Snapshotted", "Used", "package_files", "used_files"]


_DIGESTED_BYTES = 100 * 1024 * 1024
"""Of all files that are named and not stored: 0.1 s."""


@dataclass(frozen=True)
class Snapshotted:
    """The source tree as it was taken."""

    root: Path
    """Absolute, links resolved."""
    entries: Mapping[bytes, Entry]
    excluded: frozenset[bytes] = frozenset()
    """Paths that its user does not want stored."""

    def path_of(self, place: str) -> str:
        """Return a file's path in the snapshot, POSIX; empty when it is not there."""
        for name in (os.path.realpath(place), place):
            path = os.path.relpath(name, self.root)
            if os.fsencode(path) in self.entries:
                return path
        return ""

    def still_holds(self, path: str, place: str) -> bool:
        """Tell whether a file can be read and still has the bytes of the snapshot."""
        with contextlib.suppress(OSError):
            return self.entries[os.fsencode(path)].blob == blob_id(Path(place).read_bytes())
        return False

    def bars(self, path: PurePosixPath) -> bool:
        """Tell whether the snapshot holds this path, or a file in the place of its folder."""
        return any(os.fsencode(it) in self.entries for it in (path, *path.parents))


@dataclass(frozen=True)
class Used:
    """What was found."""

    top: str
    """Absolute folder that ``files`` start from: the tree's or one above it."""
    files: dict[str, PackedFile]
    """To be stored, by their POSIX path."""
    inputs: tuple[InputFile, ...]
    """To be named."""
    edited: tuple[str, ...]
    """Modules that are not as the snapshot holds them, POSIX, relative to the root."""
    search_folders: tuple[str, ...]
    """Folders beside the tree that modules were found in, absolute."""


def used_files(
    snapshot: Snapshotted,
    *,
    imported: Mapping[str, str],
    opened: Sequence[InputFile],
    own_folders: Iterable[str],
    is_as_read: Callable[[str], bool],
    limits: AddedLimits = AddedLimits(),  # noqa: B008  (frozen)
) -> Used:
    """Return what has to be stored or named for a rerun, beside the snapshot.

    Args:
        snapshot: of the source tree.
        imported: the user's modules by absolute path, each with its folder on ``sys.path``.
        opened: files outside the snapshot that were read.
        own_folders: beside the tree, whose files are the project's.
        is_as_read: tells whether a file still is as the run read it.
        limits: what is over them is named only.
    """
    lacking, edited = _modules(snapshot, imported)
    beside = {
        place: folder
        for place, folder in lacking.items()
        if not Path(place).is_relative_to(snapshot.root)
    }
    places = _Places(snapshot)
    folders = _own(snapshot.root, map(places.seen, (*own_folders, *filter(None, beside.values()))))
    gathering = Gathering(limits, is_as_read)
    gathering.add(places.fit(lacking, gathering))
    gathering.add(
        places.fit(
            (it.absolute for it in opened if places.seen(it.absolute).startswith(folders)),
            gathering,
        )
    )
    gathering.add_beside(places.fit(package_files(lacking), None))
    top, files = places.below_top(gathering.found.files)
    named = {it.absolute: it for it in (*opened, *_named(snapshot.root, lacking))}
    left = [named[place] for place in sorted(named) if place not in gathering.found.files]
    return Used(
        top=top,
        files=files,
        inputs=_digested(left, gathering.found.refused, is_as_read),
        edited=tuple(sorted(edited)),
        search_folders=tuple(dict.fromkeys(places.seen(it) for it in beside.values() if it)),
    )


def _modules(
    snapshot: Snapshotted, imported: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return the modules that the snapshot lacks, and those that it holds otherwise."""
    lacking: dict[str, str] = {}
    edited: list[str] = []
    for place, folder in imported.items():
        path = snapshot.path_of(place)
        if not path:
            lacking[place] = folder
        elif not snapshot.still_holds(path, place):
            edited.append(path)
    return lacking, edited


def _own(root: Path, folders: Iterable[str]) -> tuple[str, ...]:
    """Return the folders whose files are the project's, each with its slash."""
    beside = {folder for folder in folders if not holds_more_than_code(Path(folder))}
    return tuple(f"{folder}{os.sep}" for folder in {str(root), *beside})


class _Places:
    """Where files lie to each other."""

    def __init__(self, snapshot: Snapshotted) -> None:
        self._snapshot = snapshot
        self._neighbourhood = Neighbourhood(snapshot.root)

    def seen(self, place: str) -> str:
        """Return a place as the tree sees it."""
        return self._neighbourhood.seen(place)

    def fit(self, places: Iterable[str], gathering: Gathering | None) -> Iterator[str]:
        """Yield the places that can be made again beside a restored tree; refuse the others."""
        for place in places:
            reason = self._unfit(place)
            if not reason:
                yield place
            elif gathering is not None:
                gathering.found.refused[place] = reason

    def _unfit(self, place: str) -> str:
        seen = PurePosixPath(self.seen(place))
        if self._neighbourhood.is_far(str(seen)):
            return "it lies too far from the source tree"
        root = PurePosixPath(self._snapshot.root)
        inside = seen.relative_to(root) if seen.is_relative_to(root) else None
        if inside is not None and os.fsencode(inside) in self._snapshot.excluded:
            return EXCLUDED
        if inside is not None and self._snapshot.bars(inside):
            return "the snapshot holds another file in its place"
        return unsafe_path(os.fsencode(seen.relative_to("/")))

    def below_top(self, files: Mapping[str, PackedFile]) -> tuple[str, dict[str, PackedFile]]:
        """Return the lowest folder above the tree and all files, and the files' paths from it."""
        seen = {self.seen(place): file for place, file in files.items()}
        top = os.path.commonpath([str(self._snapshot.root), *seen])
        return top, {os.path.relpath(place, top): file for place, file in sorted(seen.items())}


def _named(root: Path, lacking: Iterable[str]) -> Iterator[InputFile]:
    """Yield modules as inputs, by the way to them from the tree: so a rerun looks for them."""
    for place in lacking:
        size_bytes = os.stat(place).st_size  # noqa: PTH116
        yield InputFile(path=os.path.relpath(place, root), absolute=place, size_bytes=size_bytes)


def _digested(
    inputs: Iterable[InputFile], refused: Mapping[str, str], is_as_read: Callable[[str], bool]
) -> tuple[InputFile, ...]:
    """Return inputs with their digests, the smallest first as long as there is time for it."""
    digests: dict[str, str | Unavailable] = {}
    left_bytes = _DIGESTED_BYTES
    listed = list(inputs)
    for found in sorted(listed, key=_size):
        if "secret" in refused.get(found.absolute, ""):
            digests[found.absolute] = Unavailable(unavailable="it may give a secret away")
            continue
        left_bytes -= _size(found)
        digests[found.absolute] = (
            _digest(found.absolute, is_as_read)
            if left_bytes >= 0
            else Unavailable(unavailable="too much to read when the run ended")
        )
    return tuple(
        it.model_copy(
            update={"digest": digests[it.absolute], "reason": refused.get(it.absolute, "")}
        )
        for it in listed
    )


def _size(found: InputFile) -> int:
    return found.size_bytes if isinstance(found.size_bytes, int) else 0


def _digest(place: str, is_as_read: Callable[[str], bool]) -> str | Unavailable:
    try:
        if not is_as_read(place):
            return Unavailable(unavailable="it changed after the run had read it")
        return f"sha256:{sha256_of_file(place)}"
    except OSError as error:
        return Unavailable(unavailable=f"it cannot be read: {error.strerror}")


MOST_UP = 16
"""Folders above the tree that may have to be made again for a rerun."""

_NOT_PACKED = frozenset({"__pycache__", "node_modules"})


class Neighbourhood:
    """Places as the source tree sees them: what ``../lib`` leads to has the name that it says.

    Args:
        root: top of the tree, links resolved.
    """

    def __init__(self, root: Path) -> None:
        self._root = PurePosixPath(root)
        self._known: dict[PurePosixPath, PurePosixPath | None] = {}

    def seen(self, place: str) -> str:
        """Return an absolute path, the links in it resolved only as far as they lead to the tree.

        ``/home`` may be a link to ``/data/home``, where the tree really lies. A folder beside the
        tree that is a link keeps its name, since that is what scripts say.
        """
        path = PurePosixPath(place)
        for folder in (path, *path.parents):
            if (led := self._led(folder)) is not None:
                return str(led / path.relative_to(folder))
        return place

    def _led(self, folder: PurePosixPath) -> PurePosixPath | None:
        if folder not in self._known:
            real = PurePosixPath(os.path.realpath(folder))
            related = real.is_relative_to(self._root) or self._root.is_relative_to(real)
            self._known[folder] = real if related else None
        return self._known[folder]

    def is_far(self, place: str) -> bool:
        """Tell whether the way from the tree to a place leads up too often."""
        relative = posixpath.relpath(place, self._root)
        return PurePosixPath(relative).parts.count("..") > MOST_UP


def package_files(search_folders: Mapping[str, str]) -> Iterator[str]:
    """Yield the files of the packages that were imported, each package whole.

    What a run imports depends on its arguments, and a package reads files of its own, perhaps
    before anybody watches. A folder without ``__init__`` counts only inside a repository: nothing
    else tells what in it belongs together.

    Args:
        search_folders: by the place of an imported file, the folder on ``sys.path``.
    """
    packages = {
        Path(folder, Path(place).relative_to(folder).parts[0])
        for place, folder in search_folders.items()
        if folder
    }
    for package in sorted(packages):
        if package.is_dir() and _belongs_together(package):
            yield from _walk(str(package))


def _belongs_together(package: Path) -> bool:
    return (package / "__init__.py").is_file() or repository_top(package.parent) is not None


def _walk(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_PACKED and not name.startswith(".")
        )
        for name in sorted(names):
            if not name.startswith("."):
                yield f"{parent}/{name}"
