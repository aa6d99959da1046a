"""Watches, once in a process, what is made that can be trained."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.messages import attempt
from wandb_repro.recording.process_state import process
from wandb_repro.state import creation, functional, legacy_keras
from wandb_repro.state.registry import Registry


def watch_creation() -> None:
    """Add to the registry what is made from now on, in each framework that is or gets imported."""
    if process.watches_creation:
        return
    process.watches_creation = True
    process.registry.threads.watch()
    after_import("tensorflow", _noting(creation.watch_tensorflow))
    after_import("jax", _noting(functional.watch_gradients_of_jax))
    after_import("torch", _noting(creation.watch_torch))
    after_import("keras", _noting(creation.watch_keras))
    after_import("tf_keras", _noting(legacy_keras.watch_legacy_keras))


def _noting(watch: Callable[[Registry, ModuleType], None]) -> Callable[[ModuleType], None]:
    """Return what watches a framework, and notes in the record if that is impossible."""

    def act(module: ModuleType) -> None:
        what = f"what {module.__name__} makes"
        done = attempt(lambda: watch(process.registry, module), what)
        if isinstance(done, Unavailable):
            process.registry.unwatched[f"{what} is not noticed: {done}"] = None

    return act
