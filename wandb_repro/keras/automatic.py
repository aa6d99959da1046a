"""The callback of a ``fit`` that was given none of ours."""

from __future__ import annotations

from typing import Any, cast

from wandb_repro.keras.callback import ReproCallback
from wandb_repro.recording.every_fit import session_of_fit
from wandb_repro.recording.patch_fit import add_callback


def add_automatic(callbacks: Any, model: Any) -> None:
    """Add our callback to Keras' list, unless one of ours is in it: that one has its options."""
    theirs: list[Any] = callbacks.callbacks
    ours = [callback for callback in theirs if isinstance(callback, ReproCallback)]
    for callback in ours:
        # A list that the script made and passes again: between fits ours do not keep the model.
        cast("Any", callback).set_model(model)
    if not ours:
        add_callback(callbacks, model, _Automatic())


class _Automatic(ReproCallback):
    """Records into the run that is recorded when ``fit`` begins; it never starts to record one."""

    def _find_sink(self) -> None:
        # Anew for each fit: a list that the script made and passes again keeps this callback.
        self._sink = session_of_fit()

    def _warn_of_no_run(self) -> None:
        """Say nothing: the script did not ask to record this fit."""
