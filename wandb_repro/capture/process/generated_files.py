"""Files that Python tools and wandb_repro write while a script runs: neither source nor data.

They are recognised by the tool that wrote them, never by their folder alone: people run tutorials
in the temporary folder, and their scripts and data there count.
"""

from __future__ import annotations

import functools
import os
import re
import stat
import tempfile
from collections.abc import Mapping
from pathlib import PurePosixPath

from wandb_repro.manifest.request import REQUEST_VARIABLE

# Source: TensorFlow 2.21, tensorflow/python/autograph/pyct/loader.py, load_source.
_AUTOGRAPH = re.compile(r"__autograph_generated_file\w*(?:\.[\w.-]+)?\.pyc?")
# Source: ipykernel 6 and 7, compiler.py, get_tmp_directory; xeus-python names its folder like it.
_CELL = re.compile(r"(?:ipykernel|xpython)_\d+/\d+\.py")
# The last part is what tempfile.mkdtemp adds.
_OUR_FOLDER = re.compile(r"wandb-repro-(?:uv-|lock-)?[a-z0-9_]{8}")
_MKDTEMP_MODE = 0o700


class GeneratedFiles:
    """Recognises files that tools wrote while the script ran.

    Args:
        environ: variables of the process; one of them names a rerun's request file.
        temporary: the temporary folder; by default the system's.
    """

    def __init__(
        self, environ: Mapping[str, str] = os.environ, temporary: str | None = None
    ) -> None:
        folder = temporary or tempfile.gettempdir()
        self._temporary = tuple(f"{name}/" for name in {folder, os.path.realpath(folder)})
        request = environ.get(REQUEST_VARIABLE)
        # The work folder of a rerun: the files in it are ours, the restored tree is below it.
        self._work = {os.path.dirname(request), _real_parent(request)} if request else set[str]()  # noqa: PTH120
        self._is_private = functools.cache(_is_private)

    def contain(self, file: str) -> bool:
        """Return whether a tool or wandb_repro wrote a file, given its absolute path.

        ``/tmp/__autograph_generated_filex1.py``: yes; ``/tmp/train.py``: no.
        """
        folder = file.rpartition("/")[0]
        if is_autograph(file):
            return True
        if folder in self._work:
            return True
        inside = next((t for t in self._temporary if file.startswith(t)), "")
        if not inside:
            return False
        path = file.removeprefix(inside)
        return _CELL.fullmatch(path) is not None or self._is_ours(inside, path)

    def _is_ours(self, temporary: str, path: str) -> bool:
        first = PurePosixPath(path).parts[0]
        return _OUR_FOLDER.fullmatch(first) is not None and self._is_private(temporary + first)


def is_autograph(file: str) -> bool:
    """Tell whether TensorFlow wrote this file: the graph form of a function of the script."""
    name = file.rpartition("/")[2]
    return name.startswith("__autograph") and _AUTOGRAPH.fullmatch(name) is not None


def is_cell(file: str) -> bool:
    """Tell whether a notebook's kernel compiled a cell under this name."""
    return _CELL.fullmatch("/".join(file.split("/")[-2:])) is not None


def _real_parent(path: str) -> str:
    return os.path.dirname(os.path.realpath(path))  # noqa: PTH120


def _is_private(folder: str) -> bool:
    """Return whether only its owner may enter a folder, as with mkdtemp but seldom otherwise.

    A folder that a user called ``/tmp/wandb-repro-examples`` is therefore not taken for ours.
    """
    try:
        return stat.S_IMODE(os.stat(folder).st_mode) == _MKDTEMP_MODE  # noqa: PTH116
    except OSError:
        return True  # already deleted, as ours are
