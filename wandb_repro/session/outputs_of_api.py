"""While a rerun trains, ``wandb.Api`` only reads: what would change a server is held back.

Source: ``wandb.apis.public`` of wandb 0.31, every method that sends a mutation; older versions
lack some of these.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from types import ModuleType
from typing import Any

__all__ = ["WRITES", "hold_back_api"]

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
