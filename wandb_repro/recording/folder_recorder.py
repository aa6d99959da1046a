"""The folders that a run read and its snapshot lacks: each digested once, within a budget."""

from __future__ import annotations

import posixpath
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from wandb_repro.capture.dataset.data_files import list_files
from wandb_repro.capture.dataset.folder_digest import Budget, digest_folder, written_in
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.capture.source.data_folders import DataFolder
from wandb_repro.capture.source.extra_files import ExtraFiles
from wandb_repro.capture.source.read_extra_files import ExtraLimits
from wandb_repro.errors import DigestError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFile, InputFolder

_MANY = 20
"""Files opened in one folder that count as reading the folder."""
_MOST_FOLDERS = 100


def folders_with_many(opened: Iterable[InputFile]) -> dict[str, str]:
    """Return the folders that many of these files are in, by absolute path, as first given."""
    files = list(opened)
    number = Counter(posixpath.dirname(file.absolute) for file in files)
    return {
        folder: posixpath.dirname(file.path) or "."
        for file in files
        if number[folder := posixpath.dirname(file.absolute)] >= _MANY
    }


class FolderRecorder:
    """Digests each folder when it is first seen: later the run may have written into it."""

    def __init__(self) -> None:
        self._known: dict[str, InputFolder | None] = {}
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
                _record(folder, budget, since) if known is None else _with_written(known, since)
            )
        records = (self._known[folder.absolute] for folder in found[:_MOST_FOLDERS])
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


def _record(folder: DataFolder, budget: Budget, since: float) -> InputFolder | None:
    path, absolute, reason = folder.path, folder.absolute, folder.reason
    try:
        return digest_folder(absolute, path, reason, budget, since=since)
    except (DigestError, OSError) as error:
        unknown = Unavailable(unavailable=str(error))
        return InputFolder(
            path=path,
            absolute=absolute,
            count=0,
            size_bytes=0,
            digest=unknown,
            reason=reason,
            names=unknown,
        )


def _with_written(folder: InputFolder, since: float) -> InputFolder:
    """Return the record with the files that the run wrote into the folder since it was digested."""
    try:
        files = list_files(Path(folder.absolute), Limits(seconds=1.0))
    except (DigestError, OSError):
        return folder
    written = {*folder.written, *written_in(files, since)}
    return folder.model_copy(update={"written": tuple(sorted(written)[:1000])})
