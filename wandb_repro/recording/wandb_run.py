"""The parts of a W&B run that this package uses, and its changes to arguments of ``wandb.init``.

A rerun is a new run, so the script's ids are removed. Credentials are removed from the command line
and the git remote, which W&B records itself.
"""

from __future__ import annotations

import contextlib
import copy
import os
import sys
from collections.abc import Generator, Mapping
from pathlib import Path
from typing import Any, Protocol, cast
from urllib.parse import urlsplit

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.secrets.redact import redact_arguments, redact_url
from wandb_repro.capture.source.git import commit_at, setting_at
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.manifest import RunIdentity

CONFIG_KEY = "repro"
"""Our one entry in a run's config."""


class Config(Protocol):
    """``wandb.Run.config``."""

    def update(self, values: Mapping[str, Any], allow_val_change: bool | None = None) -> object:
        """Set values."""
        ...

    def keys(self) -> Any:
        """Return the names."""
        ...

    def __getitem__(self, name: str) -> Any: ...


class Summary(Protocol):
    """``wandb.Run.summary``."""

    def update(self, values: Mapping[str, Any]) -> object:
        """Set values."""
        ...


class Run(Protocol):
    """The used part of ``wandb.Run``."""

    @property
    def id(self) -> str:
        """Its id, unique in its project."""
        ...

    @property
    def dir(self) -> str:
        """Folder of its files."""
        ...

    @property
    def disabled(self) -> bool:
        """Whether W&B records nothing, as with ``WANDB_MODE=disabled``."""
        ...

    @property
    def config(self) -> Config:
        """Its config."""
        ...

    @property
    def summary(self) -> Summary:
        """Its summary."""
        ...

    @property
    def settings(self) -> Any:
        """Its settings."""
        ...

    def save(self, glob_str: str, base_path: str, policy: str) -> object:
        """Upload files in its folder."""
        ...


def _text(run: Run, name: str) -> str | Unavailable:
    value = getattr(run, name, None)
    return value if isinstance(value, str) and value else Unavailable(unavailable="W&B has none")


def next_step(run: Run) -> int | None:
    """Return W&B's step of the next row that is logged; None if it is not known."""
    # Of a run that goes on it is not 0. In W&B's shared mode only the server knows it.
    step = guarded(lambda: getattr(run, "step", None), "its step", expects=(Exception,))
    return step if isinstance(step, int) else None


def identity_of(run: Run, rerun_of: str | None) -> RunIdentity:
    """Return id, names, page and kind of a run, as far as W&B knows them."""
    offline = bool(getattr(run, "offline", False) or getattr(run.settings, "_offline", False))
    entity = _text(run, "entity")
    # NOTE: offline, W&B knows an entity only if one was given; older versions return ``dummy``.
    if entity == "dummy":
        entity = Unavailable(unavailable="an offline run has no entity yet")
    return RunIdentity(
        id=run.id,
        name=_text(run, "name"),
        entity=entity,
        project=_text(run, "project"),
        url=Unavailable(unavailable="an offline run has no page yet")
        if offline
        else _text(run, "url"),
        job_type=_text(run, "job_type"),
        group=_text(run, "group"),
        offline=offline,
        rerun_of=rerun_of or Unavailable(unavailable="it is not a rerun"),
        **({"sweep": str(sweep)} if (sweep := getattr(run, "sweep_id", None)) else {}),
    )


def unknown_identity(run: Run, reason: Unavailable) -> RunIdentity:
    """Return the identity of a run if only its id is known."""
    names = ("name", "entity", "project", "url", "job_type", "group", "rerun_of")
    return RunIdentity(id=run.id, offline=False, **dict.fromkeys(names, reason))


def name_of(identity: RunIdentity) -> str:
    """Return ``ENTITY/PROJECT/ID``, without the parts that are unknown."""
    known = [part for part in (identity.entity, identity.project) if isinstance(part, str)]
    return "/".join([*known, identity.id])


def named(identity: RunIdentity, files: Path, started_in: str) -> str:
    """Return how a command names a run, where its training was started.

    Args:
        identity: of the run.
        files: folder of its files (``run.dir``).
        started_in: folder in which the user started the training.
    """
    if not identity.offline:
        return name_of(identity)
    folder = files.parent
    return os.path.relpath(folder, started_in) if folder.is_relative_to(started_in) else str(folder)


def folders_of(run: Run) -> tuple[Path, ...]:
    """Return W&B's own folders, which contain neither code nor data."""
    setting = getattr(run.settings, "wandb_dir", None)
    of_run = Path(run.dir).parent.parent
    return (of_run, *((Path(setting),) if isinstance(setting, str) else ()))


def config_of(run: Run) -> dict[str, JSON]:
    """Return the run's current config, without our entry."""
    return {
        str(name): jsonable(run.config[name])
        for name in list(run.config.keys())
        if name != CONFIG_KEY and not str(name).startswith("_")
    }


def jsonable(value: object) -> JSON:
    """Return a value as JSON; a value that JSON cannot represent becomes its text."""
    if isinstance(value, Mapping):
        items = cast("Mapping[object, object]", value).items()
        return {str(name): jsonable(item) for name, item in items}
    if isinstance(value, list | tuple):
        return [jsonable(item) for item in cast("list[object]", value)]
    if value is None or isinstance(value, bool | str | int):
        return value
    if isinstance(value, float):
        finite = value == value and value not in (float("inf"), float("-inf"))
        return value if finite else str(value)
    return jsonable(value.item()) if hasattr(value, "item") else _described(value)  # type: ignore[attr-defined]


def _described(value: object) -> str:
    return value.as_posix() if isinstance(value, Path) else repr(value)[:1000]


_NEVER = ("id", "run_id", "resume", "fork_from", "resume_from")
"""Arguments that name or continue another run: with them a rerun would write into its original."""


def of_its_own(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the script's arguments of ``wandb.init`` for a rerun: a new run of type ``rerun``."""
    kept = {name: value for name, value in kwargs.items() if name not in _NEVER}
    if kept.get("settings") is not None:
        kept["settings"] = _settings(kept["settings"])
    return {**kept, "job_type": "rerun"}


def _settings(given: object) -> object:
    """Return a copy of settings, a dict or a ``wandb.Settings``, that names no run."""
    if isinstance(given, Mapping):
        named = cast("Mapping[str, object]", given)
        return {name: value for name, value in named.items() if name not in _NEVER}
    settings = copy.copy(given)
    for name in _NEVER:
        if getattr(settings, name, None) is not None:
            setattr(settings, name, None)
    return settings


@contextlib.contextmanager
def discreet_arguments() -> Generator[None]:
    """Remove credentials from ``sys.argv`` while the block runs."""
    # wandb 0.31 reads it once, inside ``wandb.init``, and sends it unchanged.
    given = sys.argv
    cut = guarded(lambda: [given[0], *redact_arguments(given[1:])[0]] if given else given, "argv")
    if not isinstance(cut, list) or cut == given:
        yield
        return
    sys.argv = cut
    try:
        yield
    finally:
        if sys.argv is cut:
            sys.argv = given


def with_discreet_remote(kwargs: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments for ``wandb.init`` with a remote address that has no token.

    Address and commit are added only if W&B would publish a token, and never replace the caller's.
    """
    remote = guarded(lambda: _remote(kwargs.get("settings")), "the remote's address")
    if not isinstance(remote, dict) or not remote:
        return dict(kwargs)
    return {**kwargs, "settings": _added(kwargs.get("settings"), remote)}


def _remote(settings: object) -> dict[str, str]:
    """Return settings with the remote's address without its user; empty if it has no password."""
    # wandb 0.31 removes the password and keeps the user, which is often a token.
    if any(_setting(settings, name) for name in ("disable_git", "git_remote_url", "git_commit")):
        return {}
    folder = Path(_setting(settings, "git_root") or Path.cwd())
    name = _setting(settings, "git_remote") or "origin"
    url = setting_at(folder, f"remote.{name}.url")
    if "@" not in url or urlsplit(url).password is None:
        return {}
    return {"git_remote_url": redact_url(url), "git_commit": commit_at(folder)}


def _setting(settings: object, name: str) -> str:
    """Return a setting from the call, else from the environment; empty for false."""
    if isinstance(settings, Mapping):
        given = cast("Mapping[str, Any]", settings).get(name)
    else:
        given = getattr(settings, name, None)
    value = str(given or os.environ.get(f"WANDB_{name.upper()}", ""))
    return "" if value.lower() in ("false", "0") else value


def _added(settings: Any, remote: Mapping[str, str]) -> Any:
    if settings is None or isinstance(settings, Mapping):
        return {**remote, **cast("Mapping[str, Any]", settings or {})}
    added = copy.copy(settings)
    for name, value in remote.items():
        setattr(added, name, value)
    return added
