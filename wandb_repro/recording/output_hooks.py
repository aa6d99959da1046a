"""Notices what a run saves: calls of W&B that log artifacts, and Keras' functions that save."""

from __future__ import annotations

import functools
import inspect
import sys
import threading
from collections.abc import Callable, Iterable, Mapping
from types import ModuleType
from typing import Any, cast

from wandb_repro.capture.guard import guarded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import harmless, warn_once
from wandb_repro.recording.output_recorder import OutputRecorder
from wandb_repro.recording.process_state import process
from wandb_repro.recording.wandb_run import Run

_LOGS_ARTIFACT = (
    "finish_artifact",
    "link_artifact",
    "link_model",
    "log_artifact",
    "log_model",
    "upsert_artifact",
)
"""Methods of a run that log an artifact, given first, or a path that W&B makes one of."""

_ONLY_NEW = frozenset({"link_artifact"})
"""Methods that log an artifact only if it has not been logged before."""

_TYPES = {"log_model": "model", "link_model": "model"}
"""Type of the artifact that a method makes of a path."""


_INSIDE = threading.local()
"""Whether this thread is inside one of these methods."""


def watch_outputs(run: Run, recorder: OutputRecorder) -> None:
    """Have everything that a run saves noted, until it ends."""
    process.outputs[run.id] = recorder
    watched = {
        name: guarded(functools.partial(_watch_method, run, name, recorder), f"run.{name}")
        for name in _LOGS_ARTIFACT
    }
    failed = {name: done for name, done in watched.items() if isinstance(done, Unavailable)}
    if failed:
        note = f"what {', '.join(failed)} log is not noticed: {next(iter(failed.values()))}"
        process.registry.notes[note] = None
        warn_once(f"not recorded, training continues: {note}")
    for library in ("keras", "tf_keras"):
        after_import(library, _watch_keras)


def note_artifact(run: object, artifact: object) -> None:
    """Note an artifact that is logged by a call which does not pass through the run."""
    recorder = process.outputs.get(str(getattr(run, "id", "")))
    if recorder is not None:
        recorder.artifact_logged(artifact, only_new=True)


def _watch_method(run: Any, name: str, recorder: OutputRecorder) -> None:
    real: Callable[..., Any] | None = getattr(run, name, None)
    if real is None:  # an older W&B
        return
    signature = inspect.signature(real)

    @functools.wraps(real)
    def noted(*positional: Any, **options: Any) -> Any:
        # One method may call another one: link_model logs the artifact that it makes.
        if getattr(_INSIDE, "call", False):
            return real(*positional, **options)
        _INSIDE.call = True
        try:
            # Before the call: W&B moves its copies of the files afterwards.
            note(positional, options)
            return real(*positional, **options)
        finally:
            _INSIDE.call = False

    @harmless("an artifact's files")
    def note(positional: tuple[Any, ...], options: Mapping[str, Any]) -> None:
        try:
            given = signature.bind(*positional, **options).arguments
        except TypeError:  # W&B will say so
            return
        recorder.artifact_logged(
            next(iter(given.values())),
            given.get("name"),
            given.get("type") or _TYPES.get(name),
            only_new=name in _ONLY_NEW,
        )

    module = cast("Any", sys.modules.get("wandb"))
    is_same = getattr(module, name, None) == real
    run.__dict__[name] = noted
    if is_same:  # the function of the module is the method of its active run
        setattr(module, name, noted)


def _watch_keras(keras: ModuleType) -> None:
    """Note the path of every model that Keras saves, until the process ends."""
    module = cast("Any", keras)
    _watch_functions(module.Model, ("save", "save_weights", "export"))
    for place in ("saving", "models"):
        _watch_functions(getattr(module, place, None), ("save_model", "save_weights"))


def _watch_functions(owner: Any, names: Iterable[str]) -> None:
    for name in names:
        save = getattr(owner, name, None)
        if save is not None and not hasattr(save, _MARK):
            setattr(owner, name, _noting(save))


_MARK = "noted_by_wandb_repro"
"""Attribute of a function that is watched: a process may record several runs."""


def _noting(save: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(save)
    def saved(*positional: Any, **options: Any) -> Any:
        result = save(*positional, **options)
        # After the model, or the ``self`` that is the model.
        path = positional[1] if len(positional) > 1 else options.get("filepath")
        for recorder in tuple(process.outputs.values()):
            recorder.saved(path)
        return result

    setattr(saved, _MARK, True)
    return saved
