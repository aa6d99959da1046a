"""Which part of a tree the user wants in the snapshot: include and exclude patterns.

git itself matches the patterns, so they mean what they mean in a ``.gitignore``.
"""

from __future__ import annotations

import os
import posixpath
import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from wandb_repro.capture.source.file_list import Listing
from wandb_repro.capture.source.git import Git

V = TypeVar("V")


@dataclass(frozen=True)
class Selection:
    """The user's choice. Without patterns it is everything."""

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
    selected = replace(
        listing,
        index=_without(listing.index, out),
        head=_without(listing.head, out),
        untracked=listing.untracked - out,
    )
    return selected, frozenset(out & (listing.index.keys() | listing.untracked))


def _patterns(root: Path, selection: Selection) -> tuple[list[str] | None, list[str], list[str]]:
    """Return what to take, None for all, what not, and what is no secret, relative to the root."""
    base = Path(os.path.realpath(selection.base))
    related = base.is_relative_to(root) or root.is_relative_to(base)

    def moved(patterns: Iterable[str], base: Path) -> list[str]:
        found = (from_root(pattern, base=base, root=root) for pattern in patterns)
        return [pattern for pattern in found if pattern]

    include, exclude, not_secret = selection.include, selection.exclude, selection.not_secret
    if not related:
        include = exclude = not_secret = ()
    folders = (Path(os.path.realpath(folder)) for folder in selection.folders)
    taken = [pattern for folder in folders for pattern in moved(["./"], folder)]
    taken += moved(include, base)
    some = include or selection.folders
    return (taken if some else None), moved(exclude, base), moved(not_secret, base)


def _without(entries: Mapping[bytes, V], out: Collection[bytes]) -> dict[bytes, V]:
    return {path: entry for path, entry in entries.items() if path not in out}


_GLOB = re.compile(r"([\\*?\[])")
_ALWAYS = "wandb-repro-always-matched"
"""NOTE: git ends with 1, as an error does, when no path matches; so one always does."""


def matched(private: Git, patterns: Sequence[str], paths: Iterable[bytes]) -> set[bytes]:
    """Return which of the paths the patterns name, as ``.gitignore`` would: the last match holds.

    Args:
        private: a repository of ours; nothing of the user's has a say.
        patterns: relative to the paths' root. None match nothing.
        paths: of files, relative to the root.

    Raises:
        CodeError: git fails.
    """
    if not patterns:
        return set()
    empty, file = private.git_dir / "nothing", private.git_dir / "patterns"
    empty.mkdir(exist_ok=True)
    file.write_bytes(os.fsencode("\n".join((*patterns, f"/{_ALWAYS}")) + "\n"))
    # NOTE: a path that begins with a colon would be taken for one of git's magic words.
    asked = b"".join(b"./" + path + b"\0" for path in (*paths, _ALWAYS.encode()))
    words = ("-c", f"core.excludesFile={file}", "check-ignore", "--no-index", "--stdin", "-z")
    matching = replace(private, work_tree=empty).run(*words, data=asked)
    return {path.removeprefix(b"./") for path in matching.split(b"\0")[:-1]} - {_ALWAYS.encode()}


def from_root(pattern: str, *, base: Path, root: Path) -> str:
    """Return a pattern that was written for one folder as one for another; empty for no match.

    As in a ``.gitignore``, a pattern with a slash in it is about a place relative to `base`, one
    without about every name below. ``.`` and ``..`` may be used: ``../shared/``.

    Args:
        pattern: as its user wrote it.
        base: folder of the file in which it stands.
        root: folder that the paths are relative to.
    """
    sign, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if "/" not in body.rstrip("/") and body.rstrip("/") not in (".", ".."):
        if root.is_relative_to(base):
            return sign + body
        body = f"**/{body}"
    top, here = _escaped(root), _escaped(base)
    place = posixpath.normpath(f"{here}/{body.lstrip('/')}")
    if top == place or top.startswith(place.rstrip("/") + "/"):
        return f"{sign}/*"
    if not place.startswith(top.rstrip("/") + "/"):
        return ""
    return sign + place[len(top.rstrip("/")) :] + "/" * body.endswith("/")


def _escaped(folder: Path) -> str:
    return _GLOB.sub(r"\\\1", folder.as_posix())
