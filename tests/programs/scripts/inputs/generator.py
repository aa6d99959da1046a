"""Python generator that adds noise.

start: python
change: an unseeded draw for batch 4
unchanged: identical
changed: diverged
names: batch
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

wandb_repro.init(project="generator", seed=33)
images = np.random.uniform(size=(24, 6, 6, 1)).astype("float32")
labels = np.arange(24) % 2


def batches():
    number = 0
    while True:
        for start in range(0, 24, 8):
            number += 1
            rng = np.random.default_rng(number)
            # also: rng = np.random.default_rng() if number == 4 else rng
            noise = rng.normal(scale=0.05, size=(8, 6, 6, 1))
            yield images[start : start + 8] + noise, labels[start : start + 8]


model = keras.Sequential(
    [
        keras.Input((6, 6, 1)),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.Flatten(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy")
every = ReproCallback(steps=1)
model.fit(batches(), steps_per_epoch=3, epochs=3, verbose=0, callbacks=[every])
