"""Folders of the system, of Python and of installed packages: nothing in them is the user's."""

from __future__ import annotations

import os
import site
import sys
import sysconfig
from pathlib import Path

SYSTEM_FOLDERS = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib/", "/lib64/", "/bin/")
_PACKAGES = frozenset({"site-packages", "dist-packages"})


def library_folders() -> tuple[str, ...]:
    """Return the folders of the system, the interpreter and the installed packages.

    Returns:
        Absolute paths that end in a slash, as spelled and with links resolved.
    """
    named = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()}
    folders = {spelling for folder in named for spelling in (folder, os.path.realpath(folder))}
    return (*SYSTEM_FOLDERS, *(f"{folder}/" for folder in sorted(folders) if folder != "/"))


def package_folders() -> frozenset[str]:
    """Return the folders of the standard library and of installed packages; each ends in a slash.

    Unlike those of :func:`library_folders` they never hold a project. A virtual environment may be
    in the project's folder, and a project may be below ``/usr``.
    """
    paths = sysconfig.get_paths()
    named = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders = {*named, *map(os.path.realpath, named)}
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    return frozenset(f"{folder}{os.sep}" for folder in folders)


class LibraryFiles:
    """Folders of Python, of the system and of installed distributions."""

    def __init__(self, root: Path | None) -> None:
        self._root = f"{root}{os.sep}" if root is not None else "\0"
        packages = package_folders()
        self._packages = tuple(packages)
        self._others = tuple(folder for folder in library_folders() if folder not in packages)

    def contain_named(self, path: str) -> bool:
        """Return whether the path alone shows that a file belongs to Python or a package."""
        return path.startswith(self._packages)

    def contain(self, path: str) -> bool:
        """Return whether a file is in one of them; files of a tree inside one are not."""
        if self.contain_named(path) or not _PACKAGES.isdisjoint(Path(path).parts):
            return True
        around = [folder for folder in self._others if path.startswith(folder)]
        in_tree = path.startswith(self._root)
        # A folder around the tree does not make the tree's own files part of a library.
        return any(not (in_tree and self._root.startswith(folder)) for folder in around)
