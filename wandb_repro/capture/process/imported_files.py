"""Which of the user's own files the process has imported, by what ``sys.modules`` says."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType

from wandb_repro.capture.process.library_folders import library_folders, package_folders

__all__ = ["imported_files"]

_PACKAGES = frozenset({"site-packages", "dist-packages"})


def imported_files(modules: Mapping[str, ModuleType], root: Path | None) -> dict[str, str]:
    """Return the files that are no part of Python or of a distribution, and where they were found.

    Modules are not asked anything: a lazy one would import what it stands for.

    Args:
        modules: ``sys.modules``.
        root: top of the source tree: the user's own, wherever it lies.

    Returns:
        By absolute path, the folder on ``sys.path`` that the module was found in; empty where it
        was found in another way.
    """
    others = _Others(root)
    found: dict[str, str] = {}
    for name, module in list(modules.items()):
        file = _attribute(module, "__file__")
        if not isinstance(file, str) or not file:
            continue
        named = os.path.abspath(file)  # noqa: PTH100 - a link is a name of its own
        if others.hold_named(named):
            continue  # thousands are in a training: nothing is asked of the disk for them
        place = _place(named)
        if place and place not in found and not others.hold(place):
            found[place] = _search_folder(_name(name, module), place)
    return found


def _place(named: str) -> str:
    """Return the file that a module's name stands for.

    Of a module inside an archive that is the archive; of one that is nowhere it is empty.
    """
    path = Path(named)
    inside = next((it for it in (path, *path.parents) if os.path.lexists(it)), path)
    return str(inside) if inside.is_file() else ""


def _attribute(module: object, name: str) -> object:
    """Return what a module holds under a name, its own ``__getattr__`` left asleep."""
    try:
        held: object = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return None
    return held.get(name) if isinstance(held, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def _name(name: str, module: object) -> str:
    """Return a module's full name, that of ``python -m NAME`` too."""
    told = getattr(_attribute(module, "__spec__"), "name", None)
    return told if name == "__main__" and isinstance(told, str) else name


def _search_folder(name: str, place: str) -> str:
    """Return the folder in which a search for the module's top level finds this file."""
    parts = name.split(".")
    path = PurePosixPath(place)
    if path.name.split(".")[0] == "__init__":
        path = path.parent
    for part in reversed(parts):
        if path.name.split(".")[0] != part:
            return ""
        path = path.parent
    return str(path)


class _Others:
    """Folders of Python, of the system and of installed distributions."""

    def __init__(self, root: Path | None) -> None:
        self._own = f"{root}{os.sep}" if root is not None else "\0"
        never = package_folders()
        self._never = tuple(never)
        self._unless_own = tuple(folder for folder in library_folders() if folder not in never)

    def hold_named(self, named: str) -> bool:
        """Tell from the name alone that a file belongs to Python's own folders."""
        return named.startswith(self._never)

    def hold(self, place: str) -> bool:
        """Tell whether a file belongs to one of them; the tree may itself lie in one."""
        if self.hold_named(place) or not _PACKAGES.isdisjoint(Path(place).parts):
            return True
        inside = [folder for folder in self._unless_own if place.startswith(folder)]
        mine = place.startswith(self._own)
        return any(not (mine and self._own.startswith(folder)) for folder in inside)
