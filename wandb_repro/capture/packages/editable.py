"""The files that an editable install makes importable, which RECORD does not list.

RECORD lists a ``.pth`` file or an import hook of the build backend. They are parsed, never run.
"""

from __future__ import annotations

import ast
import importlib.metadata
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple, cast
from urllib.parse import unquote, urlsplit

from wandb_repro.capture.packages.dist_info import DistInfo, direct_url_of
from wandb_repro.capture.packages.record import record_paths

_NOT_PACKED = frozenset({"__pycache__", "node_modules"})
_NOT_IMPORTED = frozenset(
    {
        *("setup.py", "conftest.py", "noxfile.py", "tasks.py"),
        *("test", "tests", "docs", "doc", "examples", "example", "build", "dist", "scripts"),
    }
)
"""Files and folders next to a package in a project's folder, but not part of it."""


class Importable(NamedTuple):
    """The files of an editable install."""

    files: dict[str, Path]
    """By path inside a wheel."""
    left_out: tuple[str, ...]
    """Links that lead out of the sources, and anything but files, by path inside a wheel."""


def source_folder(distribution: importlib.metadata.Distribution) -> Path:
    """Return the source folder of an editable install."""
    url = urlsplit(str(direct_url_of(DistInfo(distribution)).get("url", "")))
    if url.scheme == "file":
        return Path(unquote(url.path))  # as urllib.request does, without its import of http
    return Path(str(distribution.locate_file("")))


def importable_files(distribution: importlib.metadata.Distribution) -> Importable:
    """Return the packages and modules that the install names, package data included.

    Byte code and hidden files are left out. Nothing is returned if the install only has a hook of
    an unknown kind: only running it would show which files it finds.

    Raises:
        OSError: a folder cannot be read.
        SyntaxError: a hook is not Python.
    """
    source = source_folder(distribution).resolve()
    files: dict[str, Path] = {}
    left_out: list[str] = []
    for name, top_level in sorted(_top_levels(distribution, source).items()):
        for path in sorted(_walk(top_level)):
            inside = (Path(name) / path.relative_to(top_level)).as_posix()
            if _is_own_file(path, (source, top_level.resolve())):
                files[inside] = path
            else:
                left_out.append(inside)
    return Importable(files, tuple(left_out))


def _top_levels(distribution: importlib.metadata.Distribution, source: Path) -> dict[str, Path]:
    """Return each package folder or module file by its path inside the wheel."""
    if mapped := _mapped_by_setuptools(distribution):
        return {_inside(name, path): path for name, path in mapped.items() if path.exists()}
    lines = _lines_of_pth(distribution)
    folders = [Path(line) for line in lines if Path(line).is_absolute() and Path(line).is_dir()]
    if lines and not folders:
        return {}
    names = set((distribution.read_text("top_level.txt") or "").split())
    return {
        path.name: path
        for root in folders or [source]
        for path in root.iterdir()
        if (path.stem in names if names else _is_import(path))
        and (path.is_dir() or path.suffix == ".py")
    }


def _is_import(path: Path) -> bool:
    if path.name in _NOT_IMPORTED or path.name.startswith("."):
        return False
    return path.suffix == ".py" or (path / "__init__.py").is_file()


def _inside(import_name: str, path: Path) -> str:
    inside = import_name.replace(".", "/")
    return inside if path.is_dir() else f"{inside}.py"


def _mapped_by_setuptools(distribution: importlib.metadata.Distribution) -> dict[str, Path]:
    """Return import names and paths of setuptools' ``__editable___*_finder.py``.

    Source: setuptools 64 to 84, ``setuptools/command/editable_wheel.py``: ``MAPPING`` is a
    literal dict.
    """
    mapped: dict[str, Path] = {}
    for finder in _installed_files(distribution, "_finder.py"):
        for statement in ast.parse(finder.read_text(encoding="utf-8")).body:
            mapped |= {name: _place(path) for name, path in _mapping(statement).items()}
    return mapped


def _place(path: str) -> Path:
    module = Path(f"{path}.py")
    return module if module.is_file() and not Path(path).is_dir() else Path(path)


def _mapping(statement: ast.stmt) -> dict[str, str]:
    if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or statement.value is None:
        return {}
    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
    if not any(isinstance(target, ast.Name) and target.id == "MAPPING" for target in targets):
        return {}
    return cast("dict[str, str]", ast.literal_eval(statement.value))


def _lines_of_pth(distribution: importlib.metadata.Distribution) -> list[str]:
    texts = (pth.read_text(encoding="utf-8") for pth in _installed_files(distribution, ".pth"))
    lines = (line.strip() for text in texts for line in text.splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _installed_files(distribution: importlib.metadata.Distribution, ending: str) -> Iterator[Path]:
    for path in record_paths(distribution.read_text("RECORD") or ""):
        if path.endswith(ending):
            yield Path(str(distribution.locate_file(path)))


def _walk(top: Path) -> Iterator[Path]:
    """Yield every path but folders; a link to a folder is yielded, not followed."""
    if not top.is_dir():
        yield top
    for folder, folders, names in os.walk(top):
        inner = [name for name in folders if _is_packed(name)]
        folders[:] = [name for name in inner if not Path(folder, name).is_symlink()]
        linked = [name for name in inner if name not in folders]
        yield from (Path(folder, name) for name in (*names, *linked) if _is_packed(name))


def _is_packed(name: str) -> bool:
    hidden = name.startswith(".")
    return not hidden and name not in _NOT_PACKED and not name.endswith((".pyc", ".pyo"))


def _is_own_file(path: Path, allowed: tuple[Path, ...]) -> bool:
    """Return whether it is a file; if it is a link, its target must be in an allowed folder."""
    if not path.is_file():
        return False
    return not path.is_symlink() or any(path.resolve().is_relative_to(each) for each in allowed)
