"""What this package uses of a W&B run, and nothing more."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Protocol, cast

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.document import RunIdentity

__all__ = [
    "CONFIG_KEY",
    "Config",
    "Run",
    "Summary",
    "config_of",
    "folders_of",
    "identity_of",
    "jsonable",
    "name_of",
    "unknown_identity",
]

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
    """``wandb.Run``, as far as it is used here."""

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
        """Whether ``WANDB_MODE=disabled``: then nothing of it exists."""
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
        """Upload files of its folder."""
        ...


def _text(run: Run, name: str) -> str | Unavailable:
    value = getattr(run, name, None)
    return value if isinstance(value, str) and value else Unavailable(unavailable="W&B has none")


def identity_of(run: Run, rerun_of: str | None) -> RunIdentity:
    """Return which run this is.

    NOTE: offline, W&B gives no URL, and an entity only if one was asked for; older versions say
    ``dummy``, which is nobody.
    """
    offline = bool(getattr(run, "offline", False) or getattr(run.settings, "_offline", False))
    entity = _text(run, "entity")
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
        rerun_of=rerun_of or Unavailable(unavailable="it repeats no other run"),
        **({"sweep": str(sweep)} if (sweep := getattr(run, "sweep_id", None)) else {}),
    )


def unknown_identity(run: Run, reason: Unavailable) -> RunIdentity:
    """Return the identity of a run that tells no more than its id."""
    return RunIdentity(
        id=run.id,
        name=reason,
        entity=reason,
        project=reason,
        url=reason,
        job_type=reason,
        group=reason,
        offline=False,
        rerun_of=reason,
    )


def name_of(identity: RunIdentity) -> str:
    """Return ``ENTITY/PROJECT/ID``, without the parts that are not known."""
    known = [part for part in (identity.entity, identity.project) if isinstance(part, str)]
    return "/".join([*known, identity.id])


def folders_of(run: Run) -> tuple[Path, ...]:
    """Return W&B's own folders, which hold neither code nor data."""
    told = getattr(run.settings, "wandb_dir", None)
    of_run = Path(run.dir).parent.parent
    return (of_run, *((Path(told),) if isinstance(told, str) else ()))


def config_of(run: Run) -> dict[str, JSON]:
    """Return the run's config as it stands, without our own entry."""
    return {
        str(name): jsonable(run.config[name])
        for name in list(run.config.keys())
        if name != CONFIG_KEY and not str(name).startswith("_")
    }


def jsonable(value: object) -> JSON:
    """Return a value as JSON holds it; what JSON has no form for becomes its text."""
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
