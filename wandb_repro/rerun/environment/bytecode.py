"""Caches the bytecode that a rerun compiled, so that later reruns start in half the time.

It comes from the rerun's clone, and only for sources of the cached environment: their size and
time must match the header of the ``.pyc`` and the listing.

Source: PEP 552, the header of a ``.pyc``; PEP 3147, its path.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shutil
import struct
from collections.abc import Iterator
from pathlib import Path

from wandb_repro.rerun.environment.cache import Cache, Entry
from wandb_repro.rerun.environment.clone import (
    Listing,
    clone,
    first_change,
    list_folder,
    read_listing,
    write_listing,
)

_HEADER = struct.Struct("<4sIII")
_NS = 1_000_000_000
_CACHED = "/__pycache__/"


def keep_bytecode(entry: Entry, environment: Path) -> None:
    """Cache the bytecode in a rerun's clone of an environment, unless some is cached already."""
    if entry.bytecode.exists():
        return
    with contextlib.suppress(OSError), Cache(entry.folder.parent).locked(entry.key) as is_ours:
        cached = read_listing(entry.files) if is_ours else None
        if cached is None or entry.bytecode.exists():
            return
        _keep(entry, environment, cached)


def _keep(entry: Entry, environment: Path, cached: Listing) -> None:
    here = list_folder(environment)
    wanted = {path: here[path] for path in _compiled(environment, here, cached)}
    if not wanted:
        return
    unfinished = entry.folder / f".bytecode-{secrets.token_hex(4)}"
    try:
        (unfinished / "files").mkdir(parents=True)
        clone(environment, wanted, unfinished / "files")
        write_listing(list_folder(unfinished / "files"), unfinished / "files.json")
        unfinished.rename(entry.bytecode)
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)


def _compiled(environment: Path, here: Listing, cached: Listing) -> Iterator[str]:
    """Yield each compiled file whose source is in the cached environment."""
    for path in here.keys() - cached.keys():
        folder, is_cached, name = path.rpartition(_CACHED)
        source = f"{folder}/{name.partition('.')[0]}.py"
        if not is_cached or not name.endswith(".pyc") or source not in cached:
            continue
        if here.get(source) == cached[source] and _is_of(environment / path, cached[source]):
            yield path


def _is_of(compiled: Path, source: tuple[int, int, str]) -> bool:
    size_bytes, changed_ns, _ = source
    with compiled.open("rb") as file:
        head = file.read(_HEADER.size)
    if len(head) < _HEADER.size:
        return False
    _, flags, time_s, size = _HEADER.unpack(head)
    mask = 0xFFFFFFFF
    return (flags, time_s, size) == (0, changed_ns // _NS & mask, size_bytes & mask)


def clone_bytecode(bytecode: Path, environment: Path) -> None:
    """Clone cached bytecode into an environment; delete it instead if it was changed."""
    if not bytecode.exists():
        return
    listing = read_listing(bytecode / "files.json")
    if listing is None or first_change(listing, list_folder(bytecode / "files")):
        os.replace(bytecode, f"{bytecode}-changed")  # noqa: PTH105
        shutil.rmtree(f"{bytecode}-changed", ignore_errors=True)
        return
    clone(bytecode / "files", listing, environment)
