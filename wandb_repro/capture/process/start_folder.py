"""The folder that the process was started in, even if the script has changed it since."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Mapping, Sequence
from types import ModuleType

from wandb_repro.capture.process.command_line import Invocation, parse
from wandb_repro.capture.process.notebook import shell_of


def start_folder() -> str:
    """Return the folder that this process was started in, absolute."""
    with contextlib.suppress(OSError):  # the working directory may have been deleted
        return folder_of_notebook(sys.modules) or folder_of_command(
            parse(tuple(sys.orig_argv)),
            now=os.getcwd(),  # noqa: PTH109
            main_file=str(getattr(sys.modules.get("__main__"), "__file__", "")),
            shell_folder=os.environ.get("PWD", ""),
            search_path=tuple(sys.path),
        )
    return "/"


def folder_of_notebook(modules: Mapping[str, ModuleType]) -> str:
    """Return the folder that a notebook was started in; empty if this is not a notebook.

    Source: IPython's "directory history", ``_dh``, whose first entry is the shell's start folder.
    """
    shell = shell_of(modules)
    visited: Sequence[object] = shell.user_ns.get("_dh", ()) if shell is not None else ()
    return str(visited[0]) if visited else ""


def folder_of_command(
    parsed: Invocation, *, now: str, main_file: str, shell_folder: str, search_path: Sequence[str]
) -> str:
    """Return the folder that the interpreter was started in, as far as it can be derived.

    Args:
        parsed: the parsed command line.
        now: the current working directory, returned if nothing else is known.
        main_file: ``__file__`` of ``__main__``; empty if it has none. Python makes it absolute when
            it starts a script. Source: CPython 3.9, "What's New", ``__file__``.
        shell_folder: the variable ``PWD``: a shell sets it, ``os.chdir`` does not.
        search_path: ``sys.path``; ``-m`` puts the folder first, absolute.

    Example: ``python jobs/train.py`` whose ``__file__`` is ``/project/jobs/train.py`` was started
    in ``/project``.
    """
    if parsed.launcher:
        return now  # the launcher imports us before the script begins
    if parsed.kind == "script" and not os.path.isabs(parsed.target):  # noqa: PTH117
        return _without_target(main_file, parsed.target) or now
    if parsed.kind == "module" and now not in search_path:
        # PYTHONPATH's entries sometimes come first, so PWD is better if it is on the path.
        likely = [shell_folder] if shell_folder in search_path else list(search_path[:1])
        module = parsed.target.replace(".", "/")
        return next(
            (folder for folder in likely if main_file.startswith(f"{folder}/{module}")), now
        )
    return now


def _without_target(main_file: str, target: str) -> str:
    """Return the part of a path before the script's name; empty if the names differ."""
    ending = "/" + target.removeprefix("./").rstrip("/")
    # If the target is a folder or an archive, Python runs the "__main__.py" inside.
    for path in (main_file, os.path.dirname(main_file)):  # noqa: PTH120
        if path.startswith("/") and path.endswith(ending):
            return path.removesuffix(ending) or "/"
    return ""
