"""Applies the user's include and exclude patterns to a tree.

git itself matches the patterns, so they work as in a ``.gitignore``.
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
    """The user's choice; without patterns, everything is taken."""

    include: tuple[str, ...] = ()
    """Patterns; if there are any, only matching files are taken."""
    exclude: tuple[str, ...] = ()
    """Patterns of files that are not taken, even if included."""
    not_secret: tuple[str, ...] = ()
    """Patterns of files that are taken though they look like secrets."""
    folders: tuple[Path, ...] = ()
    """Absolute folders that are included; as ``include``."""
    base: Path = Path("/")
    """Absolute folder that the patterns are relative to."""
    always: tuple[Path, ...] = ()
    """Absolute files that are always taken: without the script there is no rerun."""


def select(
    private: Git, root: Path, listing: Listing, selection: Selection
) -> tuple[Listing, frozenset[bytes]]:
    """Return the listing of the selected files, and the paths of the others.

    Patterns are ignored if their folder is neither above nor below `root`.

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
    """Return patterns to include (None for all), exclude, and not secret, relative to the root."""
    base = Path(os.path.realpath(selection.base))
    related = base.is_relative_to(root) or root.is_relative_to(base)

    def moved(patterns: Iterable[str], base: Path) -> list[str]:
        converted = (from_root(pattern, base=base, root=root) for pattern in patterns)
        return [pattern for pattern in converted if pattern]

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
"""NOTE: git exits with 1, as for an error, if no path matches; so one path always does."""


def matched(private: Git, patterns: Sequence[str], paths: Iterable[bytes]) -> set[bytes]:
    """Return the paths that match, as in a ``.gitignore``: the last matching pattern wins.

    Args:
        private: a repository of ours, so that no setting of the user's applies.
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
    # NOTE: git would take a path that begins with a colon for a magic pathspec.
    queries = b"".join(b"./" + path + b"\0" for path in (*paths, _ALWAYS.encode()))
    words = ("-c", f"core.excludesFile={file}", "check-ignore", "--no-index", "--stdin", "-z")
    matching = replace(private, work_tree=empty).run(*words, data=queries)
    return {path.removeprefix(b"./") for path in matching.split(b"\0")[:-1]} - {_ALWAYS.encode()}


def from_root(pattern: str, *, base: Path, root: Path) -> str:
    """Return a pattern for one folder converted for another; empty if it cannot match.

    As in a ``.gitignore``, a pattern with a slash is a path relative to `base`, a pattern without
    matches names at any depth. ``.`` and ``..`` may be used: ``../shared/``.

    Args:
        pattern: as the user wrote it.
        base: folder of the file that contains it.
        root: folder that the paths are relative to.
    """
    sign, body = ("!", pattern[1:]) if pattern.startswith("!") else ("", pattern)
    if "/" not in body.rstrip("/") and body.rstrip("/") not in (".", ".."):
        if root.is_relative_to(base):
            return sign + body
        body = f"**/{body}"
    top, here = _escaped(root), _escaped(base)
    path = posixpath.normpath(f"{here}/{body.lstrip('/')}")
    if top == path or top.startswith(path.rstrip("/") + "/"):
        return f"{sign}/*"
    if not path.startswith(top.rstrip("/") + "/"):
        return ""
    return sign + path[len(top.rstrip("/")) :] + "/" * body.endswith("/")


def _escaped(folder: Path) -> str:
    return _GLOB.sub(r"\\\1", folder.as_posix())
