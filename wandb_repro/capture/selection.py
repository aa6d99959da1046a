"""Which part of a tree its user wants in the snapshot: include and exclude patterns."""

from __future__ import annotations

import os
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from wandb_repro.capture.git import Git
from wandb_repro.capture.listing import Listing
from wandb_repro.capture.patterns import from_root, matched

__all__ = ["Selection", "select"]

V = TypeVar("V")


@dataclass(frozen=True)
class Selection:
    """What is asked for. Without patterns that is everything."""

    include: tuple[str, ...] = ()
    """Patterns; where there are any, nothing else is taken."""
    exclude: tuple[str, ...] = ()
    """Patterns of what is not taken, also when it is included."""
    not_secret: tuple[str, ...] = ()
    """Patterns of what is taken though it looks like a secret."""
    folders: tuple[Path, ...] = ()
    """Absolute folders that are included; as ``include``."""
    base: Path = Path("/")
    """Absolute folder that the patterns are relative to."""
    always: tuple[Path, ...] = ()
    """Absolute files that are taken whatever the patterns say: without the script no rerun."""


def select(
    private: Git, root: Path, listing: Listing, selection: Selection
) -> tuple[Listing, frozenset[bytes]]:
    """Return the listing of the selected files, and the paths that are not.

    Patterns that were written for quite another folder than `root` have no say.

    Raises:
        CodeError: git fails.
    """
    include, exclude, not_secret = _patterns(root, selection)
    paths = frozenset({*listing.index, *listing.head, *listing.untracked})
    listing = replace(listing, not_secret=frozenset(matched(private, not_secret, paths)))
    if include is None and not exclude:
        return listing, frozenset()
    taken = paths if include is None else matched(private, include, paths)
    always = {os.fsencode(os.path.relpath(file, root)) for file in selection.always}
    out = paths - taken | matched(private, exclude, paths)
    out -= always
    mine = replace(
        listing,
        index=_without(listing.index, out),
        head=_without(listing.head, out),
        untracked=listing.untracked - out,
    )
    return mine, frozenset(out & (listing.index.keys() | listing.untracked))


def _patterns(root: Path, selection: Selection) -> tuple[list[str] | None, list[str], list[str]]:
    """Return what to take, None for all, what not, and what is no secret, relative to the root."""
    base = Path(os.path.realpath(selection.base))
    related = base.is_relative_to(root) or root.is_relative_to(base)
    include = selection.include if related else ()
    exclude = selection.exclude if related else ()
    not_secret = selection.not_secret if related else ()
    folders = [Path(os.path.realpath(folder)) for folder in selection.folders]
    taken = [
        *(from_root("./", base=folder, root=root) for folder in folders),
        *(from_root(pattern, base=base, root=root) for pattern in include),
    ]
    left = [from_root(pattern, base=base, root=root) for pattern in exclude]
    cleared = [from_root(pattern, base=base, root=root) for pattern in not_secret]
    return (_known(taken) if taken else None), _known(left), _known(cleared)


def _known(patterns: list[str]) -> list[str]:
    return [pattern for pattern in patterns if pattern]


def _without(entries: Mapping[bytes, V], out: Collection[bytes]) -> dict[bytes, V]:
    return {path: entry for path, entry in entries.items() if path not in out}
