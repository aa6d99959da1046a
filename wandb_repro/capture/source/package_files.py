"""Finds all files of the packages outside the source tree that a run imported from."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path

from wandb_repro.capture.source.root import repository_top

_NOT_PACKED = frozenset({"__pycache__", "node_modules"})


def package_files(search_folders: Mapping[str, str]) -> Iterator[str]:
    """Yield all files of each imported package, including files that were not imported.

    A run's imports depend on its arguments, and a package may have read its data files before
    they were watched. A folder without ``__init__.py`` counts only inside a repository:
    nothing else shows that its files belong together. Hidden files are skipped.

    Args:
        search_folders: by absolute path of an imported file, the folder on ``sys.path`` that it
            was found in; empty if it was found differently.
    """
    packages = {
        Path(folder, Path(file).relative_to(folder).parts[0])
        for file, folder in search_folders.items()
        if folder
    }
    for package in sorted(packages):
        if package.is_dir() and _is_one_package(package):
            yield from _walk(str(package))


def _is_one_package(package: Path) -> bool:
    return (package / "__init__.py").is_file() or repository_top(package.parent) is not None


def _walk(folder: str) -> Iterator[str]:
    for parent, folders, names in os.walk(folder):
        folders[:] = sorted(
            name for name in folders if name not in _NOT_PACKED and not name.startswith(".")
        )
        for name in sorted(names):
            if not name.startswith("."):
                yield f"{parent}/{name}"
