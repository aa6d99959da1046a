"""Folders of the system, of Python and of installed packages: nothing in them is the user's."""

from __future__ import annotations

import os
import site
import sys
import sysconfig

SYSTEM_FOLDERS = ("/proc/", "/sys/", "/dev/", "/etc/", "/usr/", "/lib/", "/lib64/", "/bin/")


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
