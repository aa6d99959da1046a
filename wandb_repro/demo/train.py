"""The demo's training: images of handwritten digits that scikit-learn ships."""

from __future__ import annotations

from collections.abc import Mapping

import keras
import tensorflow as tf
from network import network
from sklearn.datasets import load_digits

import wandb_repro
from wandb_repro.keras import ReproCallback


class Lines(keras.callbacks.Callback):
    """Prints each epoch as one line, in four decimals as Keras does."""

    def on_epoch_end(self, epoch: int, logs: Mapping[str, float] | None = None) -> None:
        """Print the epoch's loss and metrics."""
        values = "  ".join(f"{name} {value:.4f}" for name, value in sorted((logs or {}).items()))
        print(f"   epoch {epoch + 1}  {values}", flush=True)


run = wandb_repro.init(project="demo", config={"lr": 1e-3, "epochs": 5}, seed=42)

x, y = load_digits(return_X_y=True)
x = (x / 16).astype("float32").reshape(-1, 8, 8, 1)
wandb_repro.fingerprint("train", x[:1500], y[:1500])
dataset = tf.data.Dataset.from_tensor_slices((x[:1500], y[:1500])).shuffle(1500).batch(100)

model = network()
model.compile(
    keras.optimizers.Adam(run.config["lr"]), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(
    dataset,
    epochs=run.config["epochs"],
    validation_data=(x[1500:], y[1500:]),
    shuffle=False,  # the dataset shuffles itself, anew in every epoch
    verbose=0,
    callbacks=[ReproCallback(steps=1), Lines()],
)
