"""In which folder the process began, though it may have gone elsewhere since."""

from __future__ import annotations

import os
from collections.abc import Sequence

from wandb_repro.capture.invocation import Invocation

__all__ = ["began_in"]


def began_in(
    found: Invocation, *, now: str, main_file: str, told: str, search_path: Sequence[str]
) -> str:
    """Return the working directory that the interpreter was started in, as far as it shows.

    Args:
        found: what the interpreter was told to do.
        now: the working directory as it is.
        main_file: ``__file__`` of ``__main__``, empty where it has none. Python makes it absolute
            when it starts a script. Source: CPython 3.9, "What's New", ``__file__``.
        told: the variable ``PWD``: a shell sets it, ``os.chdir`` does not.
        search_path: ``sys.path``; ``-m`` puts the folder first, absolute.
    """
    if found.launcher:
        return now  # the launcher imports us before the script begins
    if found.kind == "script" and not os.path.isabs(found.target):  # noqa: PTH117
        return _before(main_file, found.target) or now
    if found.kind == "module" and now not in search_path:
        likely = [told] if told in search_path else list(search_path[:1])
        inside = found.target.replace(".", "/")
        return next((one for one in likely if main_file.startswith(f"{one}/{inside}")), now)
    return now


def _before(main_file: str, target: str) -> str:
    """Return what stands before the script's name; of a folder, its ``__main__.py`` runs."""
    ending = "/" + target.removeprefix("./").rstrip("/")
    for path in (main_file, os.path.dirname(main_file)):  # noqa: PTH120
        if path.startswith("/") and path.endswith(ending):
            return path.removesuffix(ending) or "/"
    return ""
