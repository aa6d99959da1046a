"""Which of the user's own files the process has imported, according to ``sys.modules``."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from types import ModuleType

from wandb_repro.capture.process.distributed_files import DistributedFiles
from wandb_repro.capture.process.generated_files import GeneratedFiles
from wandb_repro.capture.process.library_folders import LibraryFiles


def imported_files(modules: Mapping[str, ModuleType], root: Path | None) -> dict[str, str]:
    """Return the imported files that belong neither to Python nor to a distribution.

    Files that tools generate, such as TensorFlow's AutoGraph, are not among them.

    Args:
        modules: ``sys.modules``.
        root: top of the source tree, whose files always count; None if there is none.

    Returns:
        By absolute path, the folder on ``sys.path`` that the module was found in; empty if it was
        found differently.
    """
    libraries, generated, distributed = LibraryFiles(root), GeneratedFiles(), DistributedFiles()
    folders: dict[str, str] = {}
    for name, module in list(modules.items()):
        file = _attribute(module, "__file__")
        if not isinstance(file, str) or not file:
            continue
        absolute = os.path.abspath(file)  # noqa: PTH100 - links are not followed
        # A training has thousands of library modules, so their names are checked before the disk.
        if libraries.contain_named(absolute) or generated.contain(absolute):
            continue
        path = _place(absolute)
        if not path or path in folders or libraries.contain(path):
            continue
        folder = _search_folder(_name(name, module), path)
        in_tree = root is not None and path.startswith(f"{root}{os.sep}")
        if in_tree or not distributed.contain(path, folder):
            folders[path] = folder
    return folders


def _place(file: str) -> str:
    """Return a module's file, or the zip archive that holds it; empty if it is gone."""
    path = Path(file)
    existing = next((part for part in (path, *path.parents) if os.path.lexists(part)), path)
    return str(existing) if existing.is_file() else ""


def _attribute(module: object, name: str) -> object:
    """Return an attribute of a module; None if it has none."""
    # NOTE: not getattr, which makes a lazy module import its target.
    try:
        attributes: object = object.__getattribute__(module, "__dict__")
    except AttributeError:
        return None
    return attributes.get(name) if isinstance(attributes, dict) else None  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType]


def _name(name: str, module: object) -> str:
    """Return a module's full name; ``python -m NAME`` is in ``sys.modules`` as ``__main__``."""
    full_name = getattr(_attribute(module, "__spec__"), "name", None)
    return full_name if name == "__main__" and isinstance(full_name, str) else name


def _search_folder(name: str, file: str) -> str:
    """Return the folder on ``sys.path`` that holds the module's top level; empty if names differ.

    For ``pkg.data.load`` in ``/lib/pkg/data/load.py`` that is ``/lib``.
    """
    parts = name.split(".")
    path = PurePosixPath(file)
    if path.name.split(".")[0] == "__init__":
        path = path.parent
    for part in reversed(parts):
        if path.name.split(".")[0] != part:
            return ""
        path = path.parent
    return str(path)
