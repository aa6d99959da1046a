"""A training as a module: functions for scripts and tests."""

from pathlib import Path
from typing import Any

import keras
import numpy as np
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from wandb_repro.keras import ReproCheckpoint

Part = tuple[np.ndarray, np.ndarray]


def parts() -> dict[str, Part]:
    """Return the data by name, each part as images (examples, 64) and labels (examples,)."""
    images, labels = load_digits(return_X_y=True)
    images = (images / 16).astype("float32")
    train_x, test_x, train_y, test_y = train_test_split(
        images, labels, test_size=0.2, random_state=0, stratify=labels
    )
    return {"train": (train_x, train_y), "test": (test_x, test_y)}


def build(rate: float = 0.005) -> keras.Model:
    """Return the model, new and compiled."""
    model = keras.Sequential(
        [
            keras.Input((64,)),
            keras.layers.Dense(32, activation="relu"),
            keras.layers.Dropout(0.2),
            keras.layers.Dense(10, activation="softmax"),
        ]
    )
    model.compile(
        keras.optimizers.Adam(rate), "sparse_categorical_crossentropy", metrics=["accuracy"]
    )
    return model


def train(epochs: int = 2, callbacks: tuple[Any, ...] = ()) -> keras.Model:
    """Train with a fixed seed."""
    keras.utils.set_random_seed(42)
    model = build()
    model.fit(*parts()["train"], batch_size=64, epochs=epochs, verbose=0, callbacks=[*callbacks])
    return model


def train_with_checkpoints(folder: Path) -> None:
    """Train, and continue from the last checkpoint in the folder."""
    train(epochs=4, callbacks=(ReproCheckpoint(folder),))
