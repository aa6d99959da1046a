"""Classifier of arrays, digests at each step.

start: python
change: order of the rows
unchanged: identical
changed: diverged
names: step 1, batch
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="blobs", config={"lr": 0.01, "epochs": 3}, seed=3)

rng = np.random.default_rng(0)
centres = rng.normal(size=(3, 6))
y = rng.integers(3, size=96)
x = (centres[y] + 0.3 * rng.normal(size=(96, 6))).astype("float32")
# also: x, y = x[::-1], y[::-1]
wandb_repro.fingerprint("train", x, y)

model = keras.Sequential(
    [
        keras.Input((6,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(3, activation="softmax"),
    ]
)
model.compile(
    optimizer=keras.optimizers.Adam(run.config["lr"]),
    loss="sparse_categorical_crossentropy",
    metrics=["accuracy"],
)
model.fit(x, y, batch_size=32, epochs=3, verbose=0, callbacks=[ReproCallback(steps=1)])
