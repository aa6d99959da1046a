"""Plans which files a rerun puts next to its restored tree. Pure: reads no disk."""

from __future__ import annotations

from dataclasses import dataclass, field

from wandb_repro.errors import RefusedError
from wandb_repro.manifest.code import Code
from wandb_repro.manifest.data import DataFiles, InputFile, InputFolder, is_used_up
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.data_sources import Source, Sources
from wandb_repro.rerun.found_inputs import FoundInputs, files_outside_data
from wandb_repro.rerun.looking import NOT_LOOKED_AT
from wandb_repro.rerun.path_map import MOST_LEVELS_UP, is_absolute, levels_up, relative_to_tree


@dataclass(frozen=True)
class Link:
    """A file outside the snapshot that is put where the script expects it."""

    place: str
    """POSIX, relative to the restored tree; may begin with ``../``."""
    target: str
    """Absolute path where the original read it, or where it is now."""
    files: DataFiles | None = None
    """The record of data, which may be a folder; its files are put there one by one."""


@dataclass(frozen=True)
class Inputs:
    """What the original read outside its snapshot."""

    links: tuple[Link, ...]
    missing: tuple[str, ...]
    """Absolute paths that are not here."""
    up: int
    """How many folders above the tree the script looks."""
    changed: tuple[str, ...] = ()
    """Absolute paths of files that differ from what the original read."""
    not_looked_at: tuple[str, ...] = ()
    """Absolute paths that were not looked at before the rerun is confirmed."""
    data: Sources = field(default_factory=Sources)
    """Files and folders of data that was fingerprinted with its path."""


def plan_inputs(manifest: Manifest, code: Code, found: FoundInputs) -> Inputs:
    """Return which files are put where, and which are missing or changed.

    Raises:
        RefusedError: a path in the record is invalid, or too far above its tree.
    """
    data = found.data
    links = _links_to_data(data)
    for file in files_outside_data(manifest, data):
        path = _place(file, code)
        target = found.moved.get(file.absolute, file.absolute)
        if path is not None and target not in found.missing:
            links.append(Link(path, target))
    return Inputs(
        tuple(links),
        (*found.missing, *(source.label for source in data.named("missing"))),
        _levels_up(links, data),
        (*found.changed, *(source.label for source in data.named("changed"))),
        (*found.not_looked_at, *(source.label for source in data.named(NOT_LOOKED_AT))),
        data,
    )


def _levels_up(links: list[Link], data: Sources) -> int:
    fetched = [source.place for source in data.named("later") if source.place is not None]
    paths = [*(link.place for link in links), *fetched]
    up = max(map(levels_up, paths), default=0)
    if up > MOST_LEVELS_UP:
        raise RefusedError(f"The original read files {up} folders above its own; that is too far.")
    return up


def _links_to_data(data: Sources) -> list[Link]:
    """Return how data is put where the script expects it; what already exists stays."""
    return [
        Link(source.place, source.target, source.files)
        for source in data.found
        if source.place is not None and _is_put(source)
    ]


def _is_put(source: Source) -> bool:
    files = source.files
    if isinstance(files, InputFolder) and source.state == "not told":
        return not is_used_up(files)
    return source.state in ("same", "changed", NOT_LOOKED_AT)


def _place(file: InputFile, code: Code) -> str | None:
    if not is_absolute(file.absolute):
        raise RefusedError(f"The record names an input by an invalid path: {file.absolute[:80]!r}.")
    return relative_to_tree(file.absolute, code.root, opened_as=file.path)
