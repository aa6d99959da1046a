"""Files that a run used outside its snapshot, and which of them are stored with the run."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from wandb_repro.capture.source.bundle import PackedFile, pack_files
from wandb_repro.capture.source.extra_files import ExtraFiles
from wandb_repro.capture.source.objects import readable, tree_id
from wandb_repro.files import sha256_of_bytes
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import Added, AddedFile, BundleFile
from wandb_repro.manifest.data import InputFile, InputFolder
from wandb_repro.recording.source import stored

_NOTHING = Unavailable(unavailable="nothing was used that the snapshot lacks")


@dataclass(frozen=True)
class StoredExtraFiles:
    """Files that are stored, and files that are only named."""

    added: Added
    inputs: tuple[InputFile, ...]
    search_folders: tuple[str, ...]
    folders: tuple[InputFolder, ...] = ()
    """Folders that are only named."""

    @classmethod
    def stored(
        cls,
        used: ExtraFiles,
        path: Path,
        choice: str,
        until: Literal["training", "end"],
        folders: Sequence[InputFolder] = (),
    ) -> StoredExtraFiles:
        """Store the files in a bundle at ``path``, replacing an earlier one.

        ``choice`` is the ``code`` option of ``init``. Files in one of ``folders``, which the run
        read too, are not named one by one.

        Raises:
            CodeError: the bundle cannot be written.
        """
        tree, bundle = _bundled(used.files, path, choice)
        added = Added(
            top=readable(os.fsencode(used.top)),
            tree=tree,
            bundle=bundle,
            files=tuple(_record(path, file) for path, file in used.files.items()),
            edited=used.edited,
            known_until=until,
        )
        tops = tuple(f"{folder.absolute}/" for folder in folders)
        inputs = tuple(file for file in used.inputs if not file.absolute.startswith(tops))
        return cls(added, inputs, used.search_folders, tuple(folders))


def _bundled(
    files: dict[str, PackedFile], path: Path, choice: str
) -> tuple[str, BundleFile | Unavailable]:
    if not files:
        path.unlink(missing_ok=True)
        return tree_id({}), _NOTHING
    named = {os.fsencode(name): file for name, file in files.items()}
    trees: list[str] = []

    def write(destination: Path) -> BundleFile:
        tree, bundle = pack_files(named, destination)
        trees.append(tree)
        return bundle

    bundle = stored(write, path, choice)
    return trees[0], bundle


def _record(path: str, file: PackedFile) -> AddedFile:
    return AddedFile(
        path=readable(os.fsencode(path)),
        size_bytes=len(file.data),
        digest=f"sha256:{sha256_of_bytes(file.data)}",
    )
