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
        Absolute paths, each with its slash, as they are spelled and with links followed.
    """
    named = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()}
    folders = {spelling for folder in named for spelling in (folder, os.path.realpath(folder))}
    return (*SYSTEM_FOLDERS, *(f"{folder}/" for folder in sorted(folders) if folder != "/"))


def package_folders() -> frozenset[str]:
    """Return the folders of the standard library and of installed packages, each with its slash.

    Unlike :func:`library_folders` these never hold a project: a virtual environment may have been
    made in the project's folder, or the project may have been put below ``/usr``.
    """
    paths = sysconfig.get_paths()
    named = {paths[name] for name in ("stdlib", "platstdlib", "purelib", "platlib")}
    folders = {*named, *map(os.path.realpath, named)}
    if site.ENABLE_USER_SITE:
        folders.add(site.getusersitepackages())
    return frozenset(f"{folder}{os.sep}" for folder in folders)
