"""Takes a snapshot of the source tree: lists, selects, reads; the user's files stay untouched."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from pathlib import Path

from wandb_repro.capture.source.dirty import difference
from wandb_repro.capture.source.file_list import Listing, list_folder, list_repository
from wandb_repro.capture.source.file_store import FileStore
from wandb_repro.capture.source.git import Git, private_repository
from wandb_repro.capture.source.include_exclude import Selection, select
from wandb_repro.capture.source.limits import Limits, choose_files
from wandb_repro.capture.source.root import refuse_as_root, repository_top
from wandb_repro.capture.source.snapshot import Snapshot
from wandb_repro.errors import CodeError, HungError
from wandb_repro.manifest.base import Unavailable


def take_snapshot(
    start: Path,
    *,
    exclude: Sequence[Path] = (),
    limits: Limits = Limits(),  # noqa: B008  (frozen)
    selection: Selection = Selection(),  # noqa: B008
    scratch: Path | None = None,
) -> Snapshot:
    """Return the source tree that `start` belongs to, as it is now.

    Args:
        start: the script's folder, or the working directory. The tree is that of its
            repository, or `start` itself if there is none or git cannot list it.
        exclude: absolute folders that are not part of the code, such as W&B's.
        limits: files beyond them are left out.
        selection: which part of the tree to take.
        scratch: folder for the private repository; by default the system's temporary folder.

    Raises:
        CodeError: git is missing, the folder holds more than code (such as the home folder), or
            it cannot be read.
        HungError: git does not finish in time.
    """
    start = Path(os.path.realpath(start))
    folder = Path(tempfile.mkdtemp(prefix="wandb-repro-", dir=scratch))
    try:
        return _take(start, folder, exclude, limits, selection)
    except OSError as error:
        shutil.rmtree(folder, ignore_errors=True)
        raise CodeError(f"the source tree cannot be read: {error}") from error
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def _take(
    start: Path, folder: Path, exclude: Sequence[Path], limits: Limits, selection: Selection
) -> Snapshot:
    private = private_repository(folder)
    root, listing, no_repository = _listed(start, private)
    listing, excluded = select(private, root, listing, selection)
    sources, refused = choose_files(root, listing, exclude, limits)
    store = FileStore(private, root, listing, sources)
    refused |= store.refused
    if no_repository:
        dirty, changed = Unavailable(unavailable=no_repository), ()
    else:
        dirty, changed = difference(root, listing, store.entries, refused)
    return Snapshot(
        root=root,
        folder=folder,
        store=store,
        dirty=dirty,
        changed=changed,
        commit=listing.commit,
        no_repository=no_repository,
        left_out=(*listing.left_out, *(refused[path] for path in sorted(refused))),
        listing=listing,
        excluded=excluded,
        exclude=tuple(exclude),
    )


def _listed(start: Path, private: Git) -> tuple[Path, Listing, str]:
    """Return the root, its files, and why it does not count as a repository (empty if it does)."""
    top = repository_top(start)
    reason = "the code is not in a git repository"
    if top is not None:
        try:
            return top, list_repository(top, private), ""
        except HungError:
            raise
        except CodeError as error:
            reason = f"git cannot list the repository: {error.message}"
    root = top or start
    refuse_as_root(root)
    return root, list_folder(root, private), reason
