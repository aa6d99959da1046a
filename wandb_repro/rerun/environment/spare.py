"""A clone that is made while a rerun trains, for the next rerun to take: it need not wait for it.

Thirty thousand links take a second, in which a training computes and the rerun has nothing to do.
"""

from __future__ import annotations

import contextlib
import shutil
import threading
from collections.abc import Generator
from pathlib import Path

from wandb_repro.errors import DiskFullError
from wandb_repro.rerun.environment.bytecode import clone_bytecode
from wandb_repro.rerun.environment.cache import Cache, Entry
from wandb_repro.rerun.environment.clone import (
    Listing,
    clone,
    first_change,
    is_elsewhere,
    list_folder,
    read_listing,
)

__all__ = ["made_meanwhile", "take_spare"]


@contextlib.contextmanager
def made_meanwhile(entry: Entry | None, environment: Path) -> Generator[None]:
    """Make the next rerun's clone while something else goes on, which is not ended before it.

    Args:
        entry: what is cloned; None where nothing is kept.
        environment: this rerun's own clone of it.
    """
    if entry is None:
        yield
        return
    work = threading.Thread(target=_make, args=(entry, environment), name="spare", daemon=True)
    work.start()
    try:
        yield
    finally:
        work.join()


def _make(entry: Entry, environment: Path) -> None:
    """Make a spare, unless there is one, or no rerun could take it by renaming it."""
    with (
        contextlib.suppress(OSError, DiskFullError),
        Cache(entry.folder.parent).held(entry.key) as mine,
    ):
        listing = read_listing(entry.files) if mine else None
        if listing is None or entry.spare.exists() or _device(environment) != _device(entry.folder):
            return
        unfinished = entry.folder / ".spare-unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)  # of somebody who was killed
        try:
            if not is_elsewhere(entry.environment, listing, unfinished):
                clone(entry.environment, listing, unfinished)
                clone_bytecode(entry.bytecode, unfinished)
                unfinished.rename(entry.spare)
        finally:
            shutil.rmtree(unfinished, ignore_errors=True)


def _device(path: Path) -> int:
    return path.stat().st_dev


def take_spare(entry: Entry, listing: Listing, destination: Path) -> bool:
    """Take the spare, if there is one and it is what was built.

    Args:
        entry: whose; its lock is held.
        listing: of the kept environment.
        destination: folder of the environment, in which nothing is yet.

    Returns:
        Whether the environment is there; if not, neither is the spare.
    """
    try:
        entry.spare.rename(destination)
    except OSError:
        return False  # there is none, or it lies on another disk
    found = list_folder(destination)
    kept = {path: found.pop(path) for path in listing.keys() & found.keys()}
    compiled = read_listing(entry.bytecode / "files.json") or {}
    if first_change(listing, kept) or (found and first_change(compiled, found)):
        shutil.rmtree(destination)
        return False
    if not found:  # it was made before anything was compiled
        clone_bytecode(entry.bytecode, destination)
    return True
