"""Trainings in this process that are recorded, and what a step of them left."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from contextlib import contextmanager
from typing import Any, cast

from tests.support.training import Recorded, Young, recorded_in, tensorflow_data
from wandb_repro.digest import Array, leaf_digest
from wandb_repro.manifest.trail import Digested

__all__ = ["Seeing", "callback", "digests", "fit", "keras", "recording", "steps_of"]


@contextmanager
def recording(offline: Young, **options: Any) -> Generator[list[Recorded]]:
    """Train inside; afterwards the list holds what was recorded."""
    import wandb_repro

    offline.begin()
    usual: dict[str, Any] = {"seed": 5, "code": "off"}
    run = wandb_repro.init(project="p", **{**usual, **options})
    found: list[Recorded] = []
    yield found
    run.finish()
    found.append(recorded_in(run.dir))


def callback(**options: Any) -> Any:
    """Return our callback; Keras is imported by it."""
    from wandb_repro.keras import ReproCallback

    return ReproCallback(**options)


def fit(model: Any, *callbacks: Any, **options: Any) -> Any:
    """Train two epochs of three steps on data in an order of its own."""
    usual = {"x": tensorflow_data(), "epochs": 2, "verbose": 0}
    return model.fit(**{**usual, **options}, callbacks=list(callbacks) or [callback()])


def keras() -> Any:
    """Return Keras, of any type."""
    import keras

    return keras


def digests(arrays: Iterable[Any]) -> list[str]:
    """Return the digest of each array."""
    return [leaf_digest(cast("Array", array)) for array in arrays]


def steps_of(recorded: Recorded) -> list[Digested]:
    """Return the step records, filled up."""
    return [it for it in recorded.trail.weights if isinstance(it, Digested)]


class Seeing:
    """Reads the trainable weights as Keras gives them, when the step after each step begins.

    It does not override what Keras calls after a batch, so that Keras does not wait for steps.
    """

    def __new__(cls) -> Any:
        class Callback(keras().callbacks.Callback):
            def __init__(self) -> None:
                super().__init__()  # pyright: ignore[reportUnknownMemberType] - of Any
                self.seen: list[list[str]] = []

            def _see(self) -> None:
                own = self.model.trainable_variables
                self.seen.append(digests(keras().ops.convert_to_numpy(it) for it in own))

            def on_train_batch_begin(self, batch: int, logs: Any = None) -> None:
                if batch:
                    self._see()

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                self._see()

        return Callback()
