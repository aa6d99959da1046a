"""Callbacks for Keras that record a training or resume it, and the variables that they read.

The names are imported on first use: modules of this package that need no Keras can be imported
without it.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from wandb_repro.keras.callback import ReproCallback
    from wandb_repro.keras.checkpoint.callback import ReproCheckpoint
    from wandb_repro.keras.shuffled_dataset import shuffled
    from wandb_repro.state.keras_state import variables_of

__all__ = ["ReproCallback", "ReproCheckpoint", "shuffled", "variables_of"]

_MODULES = {
    "ReproCallback": "wandb_repro.keras.callback",
    "ReproCheckpoint": "wandb_repro.keras.checkpoint.callback",
    "shuffled": "wandb_repro.keras.shuffled_dataset",
    "variables_of": "wandb_repro.state.keras_state",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)
