"""Files that a run used but its snapshot lacks: small ones are stored, others only named."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from wandb_repro.capture.source.bundle import PackedFile
from wandb_repro.capture.source.objects import Entry, blob_id, unsafe_path
from wandb_repro.capture.source.package_files import package_files
from wandb_repro.capture.source.read_extra_files import ExtraLimits, ExtraReader, with_digests
from wandb_repro.capture.source.root import holds_more_than_code
from wandb_repro.capture.source.tree_paths import TreePaths
from wandb_repro.manifest.code import EXCLUDED
from wandb_repro.manifest.data import InputFile


@dataclass(frozen=True)
class SnapshotFiles:
    """The files of a snapshot."""

    root: Path
    """Top of the tree, absolute, links resolved."""
    entries: Mapping[bytes, Entry]
    """Mode and git id of each file, by path relative to the root."""
    excluded: frozenset[bytes] = frozenset()
    """Paths that the user excluded."""

    def path_of(self, file: str) -> str:
        """Return a file's path in the snapshot, POSIX; empty if the snapshot lacks it."""
        for name in (os.path.realpath(file), file):
            path = os.path.relpath(name, self.root)
            if os.fsencode(path) in self.entries:
                return path
        return ""

    def is_unchanged(self, path: str, file: str) -> bool:
        """Return whether a file can be read and still has the bytes of the snapshot."""
        with contextlib.suppress(OSError):
            return self.entries[os.fsencode(path)].blob == blob_id(Path(file).read_bytes())
        return False

    def has_file_at(self, path: PurePosixPath) -> bool:
        """Return whether the snapshot has a file at this path or at the path of a parent folder."""
        return any(os.fsencode(part) in self.entries for part in (path, *path.parents))


@dataclass(frozen=True)
class ExtraFiles:
    """The files that a run used outside its snapshot."""

    top: str
    """Absolute folder that the paths of ``files`` are relative to: the tree's, or one above it."""
    files: dict[str, PackedFile]
    """Files to store, by POSIX path."""
    inputs: tuple[InputFile, ...]
    """Files that are only named."""
    edited: tuple[str, ...]
    """Modules that changed after the snapshot, POSIX paths relative to the root."""
    search_folders: tuple[str, ...]
    """Folders outside the tree that modules were imported from, absolute."""


def used_files(
    snapshot: SnapshotFiles,
    *,
    imported: Mapping[str, str],
    opened: Sequence[InputFile],
    own_folders: Iterable[str],
    is_as_read: Callable[[str], bool],
    limits: ExtraLimits = ExtraLimits(),  # noqa: B008  (frozen)
) -> ExtraFiles:
    """Return the files that a rerun needs and the snapshot lacks.

    Modules, and files read from the project's folders, are stored if they are small and not secret.
    All others are named with a digest.

    Args:
        snapshot: of the source tree.
        imported: the user's modules by absolute path, each with the folder on ``sys.path`` that it
            was found in.
        opened: files outside the snapshot that were read.
        own_folders: folders of the project outside the tree, such as the working directory.
        is_as_read: whether a file is unchanged since the run read it.
        limits: files beyond them are only named.
    """
    missing, edited = _modules(snapshot, imported)
    outside = {
        path: folder
        for path, folder in missing.items()
        if not Path(path).is_relative_to(snapshot.root)
    }
    paths = _Places(snapshot)
    project = _project_folders(
        snapshot.root, map(paths.resolve, (*own_folders, *filter(None, outside.values())))
    )
    reader = ExtraReader(limits, is_as_read)
    reader.add(paths.storable(missing, reader.refused))
    reader.add(
        paths.storable(
            (file.absolute for file in opened if paths.resolve(file.absolute).startswith(project)),
            reader.refused,
        )
    )
    reader.add_optional(paths.storable(package_files(missing), {}))
    top, files = paths.below_top(reader.files)
    named = {file.absolute: file for file in (*opened, *_as_inputs(snapshot.root, missing))}
    not_stored = [named[path] for path in sorted(named) if path not in reader.files]
    return ExtraFiles(
        top=top,
        files=files,
        inputs=with_digests(not_stored, reader.refused, is_as_read),
        edited=tuple(sorted(edited)),
        search_folders=tuple(
            dict.fromkeys(paths.resolve(folder) for folder in outside.values() if folder)
        ),
    )


def _modules(
    snapshot: SnapshotFiles, imported: Mapping[str, str]
) -> tuple[dict[str, str], list[str]]:
    """Return the modules that the snapshot lacks, and modules that changed since it was taken."""
    missing: dict[str, str] = {}
    edited: list[str] = []
    for file, folder in imported.items():
        path = snapshot.path_of(file)
        if not path:
            missing[file] = folder
        elif not snapshot.is_unchanged(path, file):
            edited.append(path)
    return missing, edited


def _project_folders(root: Path, folders: Iterable[str]) -> tuple[str, ...]:
    """Return the folders that hold only the project's files, each with its slash."""
    own = {folder for folder in folders if not holds_more_than_code(Path(folder))}
    return tuple(f"{folder}{os.sep}" for folder in {str(root), *own})


class _Places(TreePaths):
    """Decides whether and where files outside the snapshot can be restored."""

    def __init__(self, snapshot: SnapshotFiles) -> None:
        super().__init__(snapshot.root)
        self._snapshot = snapshot

    def storable(self, files: Iterable[str], refused: dict[str, str]) -> Iterator[str]:
        """Yield the files that can be restored; put the others into ``refused`` with the reason."""
        for file in files:
            reason = self._why_not_storable(file)
            if reason:
                refused[file] = reason
            else:
                yield file

    def _why_not_storable(self, file: str) -> str:
        path = PurePosixPath(self.resolve(file))
        if self.is_too_far(str(path)):
            return "it is too far from the source tree"
        root = PurePosixPath(self._snapshot.root)
        inside = path.relative_to(root) if path.is_relative_to(root) else None
        if inside is not None and os.fsencode(inside) in self._snapshot.excluded:
            return EXCLUDED
        if inside is not None and self._snapshot.has_file_at(inside):
            return "the snapshot has another file at its path"
        return unsafe_path(os.fsencode(path.relative_to("/")))

    def below_top(self, files: Mapping[str, PackedFile]) -> tuple[str, dict[str, PackedFile]]:
        """Return the lowest folder above the tree and all files, and the files' paths from it."""
        resolved = {self.resolve(path): file for path, file in files.items()}
        top = os.path.commonpath([str(self._snapshot.root), *resolved])
        return top, {os.path.relpath(path, top): file for path, file in sorted(resolved.items())}


def _as_inputs(root: Path, files: Iterable[str]) -> Iterator[InputFile]:
    """Yield modules as inputs; a rerun looks for them by their path relative to the tree."""
    for file in files:
        size_bytes = os.stat(file).st_size  # noqa: PTH116
        yield InputFile(path=os.path.relpath(file, root), absolute=file, size_bytes=size_bytes)
