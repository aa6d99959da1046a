"""Trainings that fresh processes import: as a team's own module holds them."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Any, cast

import numpy as np

__all__ = [
    "Trainer",
    "backed_up",
    "broken",
    "changed_between_steps",
    "checkpointed",
    "dense",
    "endless",
    "in_another_order",
    "nothing",
    "returned",
    "two_models",
    "unsaved",
]

X: Any = cast("Any", np).arange(96, dtype="float32").reshape(24, 4) / 96
Y: Any = X.sum(1, keepdims=True)


def _model(dropout: float = 0.0, units: int = 4) -> Any:
    import keras

    found: Any = cast("Any", keras)
    layers = found.layers
    model = found.Sequential(
        [
            found.Input((4,)),
            layers.Dense(units, activation="relu"),
            layers.Dropout(dropout),
            layers.Dense(1),
        ]
    )
    model.compile("adam", "mse", jit_compile=False)
    return model


def _seed(number: int | None) -> None:
    import keras

    if number is not None:
        cast("Any", keras).utils.set_random_seed(number)


def dense(*, seed: int | None = 3, units: int = 4, epochs: int = 2) -> None:
    _seed(seed)
    _model(0.3, units).fit(X, Y, epochs=epochs, batch_size=4, verbose=0)


def in_another_order() -> None:
    """Train on rows whose order nobody seeded."""
    _seed(3)
    order = np.random.default_rng().permutation(24)
    _model().fit(X[order], Y[order], epochs=1, batch_size=4, shuffle=False, verbose=0)


def changed_between_steps() -> None:
    """Train with a callback that changes a weight by a number that no other process has."""
    import keras

    def change(batch: int, logs: object = None) -> None:
        del logs
        if batch == 2:
            model.layers[0].bias.assign_add([os.getpid() * 1e-6] * 4)

    _seed(3)
    model = _model()
    callback = cast("Any", keras).callbacks.LambdaCallback(on_train_batch_end=change)
    model.fit(X, Y, epochs=1, batch_size=4, shuffle=False, verbose=0, callbacks=callback)


def returned() -> object:
    """Train by a loop of one's own, and return the model."""
    _seed(3)
    model = _model()
    for first in range(0, 24, 4):
        model.train_on_batch(X[first : first + 4], Y[first : first + 4])
    return model


def two_models() -> dict[str, object]:
    """Train one model, and another by rows that no other process has."""
    _seed(3)
    one, two = _model(), _model()
    one.fit(X, Y, epochs=1, batch_size=4, verbose=0)
    two.train_on_batch(X * os.getpid(), Y)
    return {"one": one, "two": two}


def nothing() -> None:
    pass


def broken() -> None:
    raise ValueError("the images are gone")


def endless() -> None:
    sys.stderr.write("waiting for the queue\n")
    while True:
        time.sleep(1)


class Trainer:
    @staticmethod
    def train() -> None:
        dense()


def backed_up(folder: Path, *, dropout: float = 0.0, shuffled: bool = False) -> None:
    """Save by Keras' own callback."""
    import keras

    _seed(5)
    model = _model(dropout)
    callbacks = [cast("Any", keras).callbacks.BackupAndRestore(str(folder / "backup"))]
    options: dict[str, Any] = {"epochs": 4, "verbose": 0, "callbacks": callbacks}
    if shuffled:
        import tensorflow as tf

        data: Any = cast("Any", tf).data.Dataset.from_tensor_slices((X, Y))
        model.fit(data.shuffle(24).batch(4), **options)
    else:
        model.fit(X, Y, batch_size=4, shuffle=False, **options)


def checkpointed(folder: Path) -> None:
    """Save by our own callback: dropout, and rows in a new order in every epoch."""
    import tensorflow as tf

    from wandb_repro.keras import ReproCheckpoint

    _seed(5)
    data: Any = cast("Any", tf).data.Dataset.from_tensor_slices((X, Y))
    _model(0.3).fit(
        data.shuffle(24).batch(4), epochs=4, verbose=0, callbacks=[ReproCheckpoint(folder)]
    )


def unsaved(folder: Path) -> None:
    """Save nothing."""
    del folder
    dense(epochs=4)
