"""While a rerun trains, what the original published is not published again.

While a rerun trains, ``wandb.Api`` only reads: what would change a server is held back.

Source: ``wandb.apis.public`` of wandb 0.31, every method that sends a mutation; older versions
lack some of these.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from wandb_repro.child.held_artifact import Held, as_logged
from wandb_repro.recording.messages import say

__all__ = ["WRITES", "hold_back", "hold_back_api"]


_NOTHING = ("alert", "log_model")
"""Methods of a run that publish beyond the run itself, and give nothing back."""

_ARTIFACT = (
    "finish_artifact",
    "link_artifact",
    "link_model",
    "log_artifact",
    "log_code",
    "upsert_artifact",
)
"""Those that give an artifact back."""

_OF_ARTIFACT = ("delete", "link", "save", "unlink")
"""Methods of an artifact that change what is published, fetched ones included."""

_TYPES = {"link_model": "model", "log_code": "code"}

_told: set[str] = set()


def hold_back(run: object, wandb: ModuleType) -> None:
    """Replace what publishes: on this run, on the module where it means this run, on artifacts.

    The process is a rerun's own, so nothing is ever put back.
    """
    for name in (*_NOTHING, *_ARTIFACT, "use_artifact"):
        if hasattr(run, name):
            _replace(run, name, wandb)
    for name in _OF_ARTIFACT:
        if hasattr(wandb.Artifact, name):
            setattr(wandb.Artifact, name, _of_artifact(name, run))
    hold_back_api(wandb, _tell)


def _replace(run: object, name: str, wandb: ModuleType) -> None:
    real: Callable[..., Any] = getattr(run, name)
    global_one = getattr(wandb, name, None)
    stand_in = functools.wraps(real)(_stand_in(name, real, run, wandb))
    setattr(run, name, stand_in)
    if getattr(global_one, "__self__", None) is run:
        setattr(wandb, name, stand_in)


def _stand_in(
    name: str, real: Callable[..., Any], run: object, wandb: ModuleType
) -> Callable[..., Any]:
    signature = inspect.signature(real)

    def nothing(*arguments: Any, **options: Any) -> None:
        signature.bind(*arguments, **options)
        _tell(f"run.{name}")

    def artifact(*arguments: Any, **options: Any) -> object:
        given = signature.bind(*arguments, **options).arguments
        _tell(f"run.{name}")
        return _artifact(name, given, run, wandb)

    def use(*arguments: Any, **options: Any) -> object:
        found = _first(signature.bind(*arguments, **options).arguments)
        # NOTE: a draft that is used is logged by that, and a held one is known to nobody else.
        if isinstance(found, wandb.Artifact) and (isinstance(found, Held) or found.is_draft()):
            return as_logged(found, run)
        return real(*arguments, **options)

    if name == "use_artifact":
        return use
    return nothing if name in _NOTHING else artifact


def _artifact(name: str, given: Mapping[str, Any], run: object, wandb: ModuleType) -> object:
    """Return the artifact that the script holds, or an empty one in place of what it names."""
    first = _first(given)
    aliases = given.get("aliases")
    aliases = [aliases] if isinstance(aliases, str) else aliases
    if isinstance(first, wandb.Artifact):
        return as_logged(first, run, aliases)
    kind = given.get("type") or _TYPES.get(name) or "unspecified"
    called = given.get("name") or _default_name(run, first)
    empty: object = wandb.Artifact(called, kind)
    return as_logged(empty, run, aliases)


def _first(given: Mapping[str, Any]) -> Any:
    return next(iter(given.values()), None)


def _default_name(run: object, path: object) -> str:
    """Return the name as W&B makes it of a path. Source: ``Run._prepare_artifact``, wandb 0.31."""
    base = Path(str(path)).name if path is not None else "source"
    return re.sub(r"[^\w.-]", "_", f"run-{getattr(run, 'id', '')}-{base}")[:128]


def _of_artifact(name: str, run: object) -> Callable[..., object]:
    def held_back(self: Any, *arguments: Any, **options: Any) -> object:
        del arguments, options
        _tell(f"artifact.{name}")
        held = as_logged(self, run) if self.is_draft() else self
        return held if name == "link" else None

    return held_back


def _tell(what: str) -> None:
    if what not in _told:
        _told.add(what)
        say(f"{what} is held back in a rerun; rerun with --allow-outputs to publish again")


WRITES: dict[tuple[str, str], tuple[str, ...]] = {
    ("api", "Api"): (
        *("create_project", "create_run", "_create_run", "create_run_queue", "upsert_run_queue"),
        *("create_custom_chart", "create_user", "create_team", "create_registry"),
        *("create_automation", "update_automation", "delete_automation", "sync_tensorboard"),
    ),
    ("runs", "Run"): (
        *("update", "save", "delete", "upload_file", "update_state", "stop"),
        *("create", "log_artifact", "use_artifact"),
    ),
    ("summary", "HTTPSummary"): ("_write",),
    ("files", "File"): ("delete",),
    ("artifacts", "ArtifactCollection"): ("save", "delete", "change_type"),
    ("registries.registry", "Registry"): (
        *("create", "save", "delete", "add_members", "remove_members", "update_member"),
    ),
    ("sweeps", "Sweep"): ("enqueue_run",),
    ("jobs", "QueuedRun"): ("delete",),
    ("teams", "Team"): ("create", "invite", "create_service_account"),
    ("teams", "Member"): ("delete",),
    ("users", "User"): ("create", "delete_api_key", "generate_api_key"),
}
"""By module and class: methods that change what others see."""

_GIVE_BACK = ("log_artifact", "use_artifact")
"""Those whose answer is the artifact that they were given."""


def hold_back_api(wandb: ModuleType, tell: Callable[[str], None]) -> None:
    """Replace what writes through ``wandb.Api``, and ``wandb.sweep``.

    The process is a rerun's own, so nothing is ever put back.

    Args:
        wandb: the module.
        tell: is told the name of what was held back.
    """
    for (module, kind), names in WRITES.items():
        owner = _class(module, kind)
        for name in names:
            if owner is not None and hasattr(owner, name):
                setattr(owner, name, _held(f"{kind}.{name.lstrip('_')}", name, tell))
    if hasattr(wandb, "sweep"):
        setattr(wandb, "sweep", _sweep(tell))  # noqa: B010  (a module has no such attribute)


def _class(module: str, kind: str) -> Any:
    """Return a class of the public API; None where this wandb has none."""
    try:
        return getattr(importlib.import_module(f"wandb.apis.public.{module}"), kind, None)
    except ImportError:
        return None


def _held(told: str, name: str, tell: Callable[[str], None]) -> Callable[..., object]:
    def held_back(self: object = None, *arguments: Any, **options: Any) -> object:
        del self
        tell(told)
        if name in _GIVE_BACK:
            return next(iter((*arguments, *options.values())), None)
        return None

    return held_back


def _sweep(tell: Callable[[str], None]) -> Callable[..., str]:
    def held_back(*arguments: Any, **options: Any) -> str:
        del arguments, options
        tell("wandb.sweep")
        return "held-back"

    return held_back
