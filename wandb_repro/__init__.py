"""Exact reruns of Keras trainings logged to Weights & Biases.

Two lines in a training script record all that an exact rerun needs::

    run = wandb_repro.init(project="digits", seed=42)
    model.fit(dataset, callbacks=[ReproCallback()])  # from wandb_repro.keras

Importing this imports no framework, no git and no W&B, and changes nothing. In the
process of a rerun, ``wandb.init`` gives the original's config once W&B is imported.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from wandb_repro.version import __version__

if TYPE_CHECKING:
    from wandb_repro.api import attach, fingerprint, init, register, watch

__all__ = ["__version__", "attach", "fingerprint", "init", "register", "watch"]


if "WANDB_REPRO_ORDER" in os.environ:  # a rerun's process, which only ``rerun`` starts
    from wandb_repro.child.wandb_patch import stand_ready

    stand_ready()


def __getattr__(name: str) -> Any:
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from wandb_repro import api

    return getattr(api, name)
