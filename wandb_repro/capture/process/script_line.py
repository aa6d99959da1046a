"""Finds the line of the script's own code at which something was raised."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from types import FrameType, TracebackType
from typing import NamedTuple

from wandb_repro.capture.process.generated_files import is_autograph, is_cell
from wandb_repro.capture.process.library_folders import LibraryFiles

_OURS = f"{Path(__file__).parents[2]}{os.sep}"
_SHELL_CELL = re.compile(r"<ipython-input-.*>")


class CodeLine(NamedTuple):
    """One frame of a traceback or of a stack."""

    file: str
    line: int
    module: str
    code: object


def lines_of_traceback(entry: TracebackType | None) -> Iterator[CodeLine]:
    """Yield the lines of a traceback, the innermost last."""
    while entry is not None:
        yield _line(entry.tb_frame, entry.tb_lineno)
        entry = entry.tb_next


def lines_of_stack(frame: FrameType | None) -> list[CodeLine]:
    """Return the lines of a stack, the innermost last."""
    lines: list[CodeLine] = []
    while frame is not None:
        lines.append(_line(frame, frame.f_lineno))
        frame = frame.f_back
    return lines[::-1]


def _line(frame: FrameType, number: int) -> CodeLine:
    module = str(frame.f_globals.get("__name__", ""))
    return CodeLine(frame.f_code.co_filename, number, module, frame.f_code)


def script_line(lines: Iterable[CodeLine], root: Path | None) -> str:
    """Return the innermost line of the script's own code; empty if there is none.

    Args:
        lines: the innermost last.
        root: top of the source tree; None if there is none.

    Returns:
        ``models/unet.py:41``, relative to the tree. Code outside it is named by its module,
        ``helpers:7``, and a notebook's by ``cell:3``: never by a path of this machine.
    """
    libraries = LibraryFiles(root)
    for each in reversed(list(lines)):
        name = _own_name(each, root, libraries)
        if name:
            return f"{name}:{each.line}"
    return ""


def _own_name(line: CodeLine, root: Path | None, libraries: LibraryFiles) -> str:
    """Return how to name the file of a line; empty if it is not the script's own."""
    if is_cell(line.file) or _SHELL_CELL.fullmatch(line.file):
        return "cell"
    if line.file.startswith("<"):  # python -c; libraries compile texts too
        return line.file if line.module == "__main__" else ""
    path = os.path.abspath(line.file)  # noqa: PTH100 - links are not followed
    if path.startswith(_OURS) or is_autograph(path) or libraries.contain(path):
        return ""
    if root is not None and (below := _below(path, root)):
        return below
    return Path(path).name if line.module == "__main__" else line.module


def _below(path: str, root: Path) -> str:
    for file, top in ((Path(path), root), (Path(path).resolve(), root.resolve())):
        if file.is_relative_to(top):
            return file.relative_to(top).as_posix()
    return ""
