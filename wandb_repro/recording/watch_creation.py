"""Watches, once in a process, what is made that can be trained."""

from __future__ import annotations

from functools import partial

from wandb_repro.recording.import_hooks import after_import
from wandb_repro.recording.process_state import process
from wandb_repro.state import creation, functional, legacy_keras


def watch_creation() -> None:
    """Add to the registry what is made from now on, in each framework that is or gets imported."""
    if process.watches_creation:
        return
    process.watches_creation = True
    registry = process.registry
    after_import("tensorflow", partial(creation.watch_tensorflow, registry))
    after_import("jax", partial(functional.watch_gradients_of_jax, registry))
    after_import("torch", partial(creation.watch_torch, registry))
    after_import("keras", partial(creation.watch_keras, registry))
    after_import("tf_keras", partial(legacy_keras.watch_legacy_keras, registry))
