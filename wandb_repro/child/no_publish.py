"""Keeps a rerun from publishing again what the original published.

Methods that are not in `allowed_calls` are replaced: of the run, the module ``wandb``, artifacts
and the public API. Nothing is ever restored, since the process only serves the rerun.
"""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from wandb_repro.child.allowed_calls import ARTIFACT, MODULE, RUN
from wandb_repro.child.held_artifact import Held, as_logged
from wandb_repro.child.no_api_writes import hold_back_api
from wandb_repro.recording.messages import say_once
from wandb_repro.recording.output_hooks import note_artifact

HELD_SWEEP = "rerun"
"""Id of the sweep that a rerun does not create; its agent ignores it."""

_RETURNS_ARTIFACT = (
    "finish_artifact",
    "link_artifact",
    "link_model",
    "log_artifact",
    "log_code",
    "upsert_artifact",
)
"""Methods of a run that publish an artifact and return it."""

_LOGS_DRAFT = ("link", "save")
"""Methods of an artifact after which it is no longer a draft."""

_DEFAULT_TYPE = {"link_model": "model", "log_code": "code"}


def hold_back(run: object, wandb: ModuleType) -> None:
    """Replace the methods that publish: of this run, the module, artifacts and the public API.

    Raises:
        Exception: W&B is not as expected, and the methods that publish cannot be found.
    """
    for name in _methods(type(run)):
        if name not in RUN:
            _replace(run, name, _stand_in(name, getattr(run, name), run, wandb), wandb)
    _replace(run, "use_artifact", _use_artifact(run, wandb), wandb)
    for name in _methods(wandb.Artifact):
        if name not in ARTIFACT:
            setattr(wandb.Artifact, name, _of_artifact(name, run))
    for name in _functions(wandb):
        if name not in MODULE and not hasattr(type(run), name):
            setattr(wandb, name, _of_module(name))
    hold_back_api(wandb, _say)


def _methods(owner: type) -> Iterator[str]:
    for name in dir(owner):
        if not name.startswith("_") and inspect.isroutine(getattr(owner, name, None)):
            yield name


def _functions(module: ModuleType) -> list[str]:
    return [
        name
        for name, member in vars(module).items()
        if not name.startswith("_") and inspect.isroutine(member)
    ]


def _replace(run: object, name: str, stand_in: Callable[..., Any], wandb: ModuleType) -> None:
    """Replace a method of the run, and the function of ``wandb`` that is the same method."""
    real: Callable[..., Any] = getattr(run, name)
    stand_in = functools.wraps(real)(stand_in)
    setattr(run, name, stand_in)
    if getattr(getattr(wandb, name, None), "__self__", None) is run:
        setattr(wandb, name, stand_in)


def _stand_in(
    name: str, real: Callable[..., Any], run: object, wandb: ModuleType
) -> Callable[..., Any]:
    signature = inspect.signature(real)

    def held_back(*arguments: Any, **options: Any) -> object:
        # An invalid call fails in a rerun as in the original.
        given = signature.bind(*arguments, **options).arguments
        _say(f"run.{name}")
        return _artifact(name, given, run, wandb) if name in _RETURNS_ARTIFACT else None

    return held_back


def _use_artifact(run: object, wandb: ModuleType) -> Callable[..., Any]:
    real: Callable[..., Any] = getattr(run, "use_artifact")  # noqa: B009 - `object` has none
    signature = inspect.signature(real)

    def use(*arguments: Any, **options: Any) -> object:
        artifact = _first(signature.bind(*arguments, **options).arguments)
        # NOTE: W&B logs a draft that is used, and the server has no artifact that we held back.
        if isinstance(artifact, wandb.Artifact) and (
            isinstance(artifact, Held) or artifact.is_draft()
        ):
            return as_logged(artifact, run)
        return real(*arguments, **options)

    return use


def _artifact(name: str, given: Mapping[str, Any], run: object, wandb: ModuleType) -> object:
    """Return the artifact passed by the script, or an empty one if it passed a path."""
    first = _first(given)
    aliases = given.get("aliases")
    aliases = [aliases] if isinstance(aliases, str) else aliases
    if isinstance(first, wandb.Artifact):
        return as_logged(first, run, aliases)
    kind = given.get("type") or _DEFAULT_TYPE.get(name) or "unspecified"
    empty: object = wandb.Artifact(given.get("name") or _default_name(run, first), kind)
    return as_logged(empty, run, aliases)


def _first(given: Mapping[str, Any]) -> Any:
    return next(iter(given.values()), None)


def _default_name(run: object, path: object) -> str:
    """Return the name that W&B derives from a path.

    Source: ``Run._prepare_artifact``, wandb 0.31.
    """
    base = Path(str(path)).name if path is not None else "source"
    return re.sub(r"[^\w.-]", "_", f"run-{getattr(run, 'id', '')}-{base}")[:128]


def _of_artifact(name: str, run: object) -> Callable[..., object]:
    def held_back(self: Any, *arguments: Any, **options: Any) -> object:
        del arguments, options
        _say(f"artifact.{name}")
        if name in _LOGS_DRAFT and self.is_draft():
            note_artifact(run, self)
            as_logged(self, run)
        return self if name == "link" else None

    return held_back


def _of_module(name: str) -> Callable[..., object]:
    def held_back(*arguments: Any, **options: Any) -> object:
        del arguments, options
        _say(f"wandb.{name}")
        return HELD_SWEEP if name == "sweep" else None

    return held_back


def _say(call: str) -> None:
    say_once(f"{call} is held back in a rerun; rerun with --allow-outputs to publish again")
