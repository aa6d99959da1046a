"""The folders that a run read and its snapshot lacks: each digested once, within a budget."""

from __future__ import annotations

import posixpath
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from wandb_repro.capture.dataset.data_files import DataFile, list_files
from wandb_repro.capture.dataset.folder_digest import (
    MOST_WRITTEN,
    Budget,
    digest_folder,
    unknown_folder,
    written_in,
)
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.capture.process.many_files import folders_of_many
from wandb_repro.capture.source.data_folders import DataFolder
from wandb_repro.capture.source.extra_files import ExtraFiles
from wandb_repro.capture.source.read_extra_files import ExtraLimits
from wandb_repro.errors import DigestError
from wandb_repro.manifest.data import InputFile, InputFolder

_MOST_FOLDERS = 100


def folders_with_many(opened: Iterable[InputFile]) -> dict[str, str]:
    """Return the folders that many of these files are in, by absolute path, as first given."""
    files = list(opened)
    folders = folders_of_many(file.absolute for file in files)
    return {
        folder: posixpath.dirname(file.path) or "."
        for file in files
        if (folder := posixpath.dirname(file.absolute)) in folders
    }


class _Seen(NamedTuple):
    """A folder as it was when it was first seen."""

    record: InputFolder | None
    files: frozenset[str]
    """Paths in the folder of all of its files."""


class FolderRecorder:
    """Digests each folder when it is first seen: later the run may have written into it."""

    def __init__(self) -> None:
        self._known: dict[str, _Seen] = {}
        self._budget: Budget | None = None

    def digested(self, found: Sequence[DataFolder], *, since: float) -> tuple[InputFolder, ...]:
        """Return the records of folders; those that the run itself made are left out.

        Args:
            found: the folders, at most 100 of which are recorded.
            since: when the script started, seconds since 1970.
        """
        budget = Budget() if self._budget is None else Budget(bytes=self._budget.bytes)
        self._budget = budget
        for folder in found[:_MOST_FOLDERS]:
            known = self._known.get(folder.absolute)
            self._known[folder.absolute] = (
                _seen(folder, budget, since)
                if known is None or known.record is None
                else _with_written(known.record, known.files, folder, budget, since)
            )
        records = (self._known[folder.absolute].record for folder in found[:_MOST_FOLDERS])
        return tuple(record for record in records if record is not None)

    @staticmethod
    def without_large(
        opened: Sequence[InputFile], folders: Sequence[InputFolder], limits: ExtraLimits
    ) -> tuple[InputFile, ...]:
        """Return the opened files, without those in a folder that cannot be stored whole."""
        large = tuple(
            f"{folder.absolute}/"
            for folder in folders
            if folder.size_bytes > limits.total_bytes
            or folder.count != len(_files_in(folder, opened))
            or folder.count > limits.files
        )
        return tuple(file for file in opened if not file.absolute.startswith(large))

    @staticmethod
    def missing(folders: Iterable[InputFolder], used: ExtraFiles) -> tuple[InputFolder, ...]:
        """Return the folders of which not every file is stored with the run."""
        paths = [posixpath.join(used.top, path) for path in used.files]
        return tuple(
            folder
            for folder in folders
            if not folder.count
            or sum(path.startswith(f"{folder.absolute}/") for path in paths) < folder.count
        )


def _files_in(folder: InputFolder, opened: Iterable[InputFile]) -> list[InputFile]:
    top = f"{folder.absolute}/"
    return [file for file in opened if file.absolute.startswith(top)]


def _seen(folder: DataFolder, budget: Budget, since: float) -> _Seen:
    try:
        found = _listed(folder, budget)
    except (DigestError, OSError) as error:
        unknown = unknown_folder(folder.absolute, folder.path, folder.reason, str(error))
        return _Seen(unknown, frozenset())
    return _Seen(_record(folder, budget, since, found), frozenset(file.label for file in found))


def _listed(folder: DataFolder, budget: Budget) -> list[DataFile]:
    return list_files(Path(folder.absolute), Limits(seconds=max(0.5, budget.seconds_left)))


def _record(
    folder: DataFolder,
    budget: Budget,
    since: float,
    found: list[DataFile],
    gone: frozenset[str] = frozenset(),
) -> InputFolder | None:
    absolute, path, reason = folder.absolute, folder.path, folder.reason
    return digest_folder(absolute, path, reason, budget, since=since, found=found, gone=gone)


def _with_written(
    record: InputFolder, before: frozenset[str], folder: DataFolder, budget: Budget, since: float
) -> _Seen:
    """Return the record with the files that the run wrote into the folder since it was digested.

    A file of before that the run changed or deleted cannot be given to a rerun: it is no longer
    counted, and the folder is digested again without it.
    """
    try:
        found = _listed(folder, budget)
    except (DigestError, OSError):
        return _Seen(record, before)
    written = written_in(found, since)
    gone = before - {file.label for file in found}
    new = (written | gone) - {*record.written}
    if new & before or len(written) > MOST_WRITTEN:
        return _Seen(_record(folder, budget, since, found, gone), before)
    every = tuple(sorted({*record.written, *written}))
    return _Seen(record.model_copy(update={"written": every}), before)
