"""What differs between a folder that a run read and the one that is here now."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from wandb_repro.capture.dataset.data_files import (
    DataFile,
    digest_each,
    list_files,
    names_digest,
    root_of,
)
from wandb_repro.capture.dataset.file_digest_cache import FileDigestCache
from wandb_repro.capture.dataset.folder_digest import DIGITS
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.errors import DigestError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import InputFolder, is_part_of


def folder_differences(
    folder: InputFolder, target: str, within: Limits | None = None, *, most: int = 5
) -> str:
    """Return what differs between a recorded folder and the one at ``target``, in words.

    Empty if nothing does, as far as the record tells. A file whose bytes differ is named where the
    record has digests of each. ``within`` limits what is read.

    Raises:
        DigestError: the folder cannot be read.
    """
    # A record may name a huge folder: more files than recorded need not be listed.
    within = within or Limits()
    expected = max(0, folder.count) + len(folder.written) + 10_000
    limits = within._replace(files=min(within.files, expected))
    try:
        everything = list_files(Path(target), limits)
    except OSError as error:
        raise DigestError(f"{target}: {error.strerror or error}") from error
    files = [file for file in everything if is_part_of(folder, file.label)]
    names = names_digest(files)
    same_names = isinstance(folder.names, Unavailable) or names == folder.names
    if same_names and isinstance(folder.digest, Unavailable):
        return ""
    if not folder.each:
        if not same_names:
            return _counts(folder, files)
        same = root_of(files, _digests(files, within)) == folder.digest
        return "" if same else "files with the same names and sizes differ"
    return _listed(list(_each(folder, files, within)), most)


def _counts(folder: InputFolder, files: list[DataFile]) -> str:
    size_bytes = sum(file.status.st_size for file in files)
    if (len(files), size_bytes) == (folder.count, folder.size_bytes):
        return "names or sizes of files differ"
    return (
        f"{len(files):,} files with {size_bytes:,} bytes, "
        f"recorded with {folder.count:,} and {folder.size_bytes:,}"
    )


def _digests(files: list[DataFile], limits: Limits) -> list[str]:
    cache = FileDigestCache()
    try:
        return digest_each(files, limits, cache)
    finally:
        cache.close()


def _each(folder: InputFolder, files: list[DataFile], limits: Limits) -> Iterator[str]:
    digests = _digests(files, limits)
    now = {file.label: digest[:DIGITS] for file, digest in zip(files, digests, strict=True)}
    for label in sorted({*now, *folder.each}):
        if label not in now:
            yield f"{label} is missing"
        elif label not in folder.each:
            yield f"{label} was not there"
        elif now[label] != folder.each[label]:
            yield f"{label} differs"


def _listed(differences: list[str], most: int) -> str:
    more = len(differences) - most
    return ", ".join(differences[:most]) + (f" and {more:,} more" if more > 0 else "")
