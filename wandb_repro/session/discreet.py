"""What W&B records of a process by itself, kept free of credentials as far as it lets us.

Measured with wandb 0.31: ``sys.argv`` is read once, inside ``wandb.init``, and sent as it stands;
of the remote's address the password is cut and the user is not, which is where many a token
stands. Both are what the run would have recorded anyway, less the credentials.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from wandb_repro.capture.git import commit_at, setting_at
from wandb_repro.capture.guard import guarded
from wandb_repro.capture.secrets import cut_arguments, cut_url

__all__ = ["discreet_arguments", "with_discreet_remote"]


@contextlib.contextmanager
def discreet_arguments() -> Generator[None]:
    """Let ``sys.argv`` stand without its credentials while the block runs.

    Without a credential among them nothing is changed.
    """
    whole = sys.argv
    cut = guarded(lambda: [whole[0], *cut_arguments(whole[1:])[0]] if whole else whole, "argv")
    if not isinstance(cut, list) or cut == whole:
        yield
        return
    sys.argv = cut
    try:
        yield
    finally:
        if sys.argv is cut:
            sys.argv = whole


def with_discreet_remote(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``wandb.init`` gets, with the remote's address where W&B's would tell a token.

    The address and the commit are given only then; what the caller set stays.
    """
    told = guarded(lambda: _remote(kwargs.get("settings")), "the remote's address")
    if not isinstance(told, dict) or not told:
        return dict(kwargs)
    return {**kwargs, "settings": _added(kwargs.get("settings"), told)}


def _remote(settings: object) -> dict[str, str]:
    """Return settings that tell the remote without its user; empty where there is none to hide."""
    if any(_setting(settings, name) for name in ("disable_git", "git_remote_url", "git_commit")):
        return {}
    folder = Path(_setting(settings, "git_root") or Path.cwd())
    name = _setting(settings, "git_remote") or "origin"
    url = setting_at(folder, f"remote.{name}.url")
    if "@" not in url or urlsplit(url).password is None:
        return {}
    return {"git_remote_url": cut_url(url), "git_commit": commit_at(folder)}


def _setting(settings: object, name: str) -> str:
    """Return a setting as it was given in the call, else in the environment; empty for false."""
    if isinstance(settings, Mapping):
        given = cast("Mapping[str, Any]", settings).get(name)
    else:
        given = getattr(settings, name, None)
    told = str(given or os.environ.get(f"WANDB_{name.upper()}", ""))
    return "" if told.lower() in ("false", "0") else told


def _added(settings: Any, told: Mapping[str, str]) -> Any:
    if settings is None or isinstance(settings, Mapping):
        return {**told, **cast("Mapping[str, Any]", settings or {})}
    mine = copy.copy(settings)
    for name, value in told.items():
        setattr(mine, name, value)
    return mine
