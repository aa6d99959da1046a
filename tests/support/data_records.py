"""Records of data that lies in files and folders."""

from __future__ import annotations

from pathlib import Path

from tests.support.records import absent, changed, full_manifest
from wandb_repro.capture.dataset.data_files import digest_files, list_files
from wandb_repro.capture.dataset.file_digest_cache import FileDigestCache
from wandb_repro.capture.dataset.folder_digest import Budget, digest_folder
from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.data import DataFiles, Dataset, InputFolder
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.data_sources import Given, Sources, find_sources
from wandb_repro.rerun.looking import Looking

__all__ = [
    "ARTIFACT",
    "files_at",
    "files_like",
    "folder_digested",
    "folder_record",
    "record_of_data",
    "record_of_folders",
    "sources_of",
]

ARTIFACT = "ada/digits/x:v3"


def record_of_data(files: DataFiles) -> Manifest:
    """Return a record of which nothing was read but this data."""
    whole = full_manifest()
    missing = Unavailable(unavailable="not asked")
    part = Dataset(name="train", kind="file", arrays=missing, digest=missing, files=files)
    told = whole.description.model_copy(update={"data": (part,), "inputs": ()})
    return whole.model_copy(update={"description": told})


def sources_of(files: DataFiles, given: dict[str, str] | None = None) -> Sources:
    manifest = record_of_data(files)
    code = manifest.execution.code
    assert isinstance(code, Code)
    return _checked(manifest, code, Given(given or {}))


def _checked(manifest: Manifest, code: Code, given: Given) -> Sources:
    sources = find_sources(manifest, code, given, Looking())
    given.check_used([source.name for source in sources.found])
    return sources


def files_at(path: str, **more: str) -> DataFiles:
    absolute = path if path.startswith("/") else f"/home/ada/digits/{path}"
    return DataFiles(
        path=path,
        absolute=absolute,
        count=1,
        size_bytes=3,
        digest="wrepro-file-xxh3-128-1:0",
        **more,
    )


def files_like(like: Path, path: str, **more: str) -> DataFiles:
    """Return the record of a path with the bytes of another."""
    known = FileDigestCache()
    found = digest_files(str(like), Limits(), known)
    known.close()
    update = {"count": found.files.count, "digest": found.digest}
    return files_at(path, **more).model_copy(update=update)


def folder_record(**fields: object) -> InputFolder:
    """Return the record of a folder of two files that git ignores and the run read."""
    known: dict[str, object] = {
        "path": "data",
        "absolute": "/home/ada/digits/data",
        "count": 2,
        "size_bytes": 6,
        "digest": "wrepro-root-xxh3-128-1:12",
        "reason": "git ignores it",
        "names": "wrepro-names-xxh3-128-1:34",
    }
    return InputFolder.model_validate({**known, **fields})


def record_of_folders(*folders: InputFolder) -> Manifest:
    """Return a complete record of a run that read these folders, and fingerprinted no data."""
    read = [folder.model_dump(mode="json") for folder in folders]
    return changed(
        full_manifest(),
        {"description.folders": read, "description.data": absent("fingerprint was not called")},
    )


def folder_digested(folder: Path, **fields: object) -> InputFolder:
    """Return the record of a folder as it is now; no file counts as written by the run."""
    known = digest_folder(
        str(folder),
        "data",
        "git ignores it",
        Budget(seconds=60),
        since=float("inf"),
        found=list_files(folder, Limits()),
    )
    assert known is not None
    return known.model_copy(update=fields)
