"""Functional model with two outputs.

start: python
change: weight of one loss
unchanged: identical
changed: diverged
names: step 1
"""

import keras
import numpy as np
from keras import layers

import wandb_repro
from wandb_repro.keras import ReproCallback

wandb_repro.init(project="two-heads", seed=19)

rng = np.random.default_rng(7)
pictures = rng.uniform(size=(32, 8, 8, 1)).astype("float32")
ages = pictures.sum(axis=(1, 2, 3))
kinds = (pictures[:, 0, 0, 0] > 0.5).astype("int32")

image = keras.Input((8, 8, 1), name="image")
features = layers.Flatten()(layers.MaxPooling2D()(layers.Conv2D(4, 3)(image)))
age = layers.Dense(1, name="age")(features)
kind = layers.Dense(2, activation="softmax", name="kind")(features)
model = keras.Model(image, {"age": age, "kind": kind})
weights = {"age": 0.1, "kind": 1.0}
# also: weights["age"] = 0.2
model.compile(
    "adam",
    loss={"age": "mse", "kind": "sparse_categorical_crossentropy"},
    loss_weights=weights,
    metrics={"kind": "accuracy"},
)
targets = {"age": ages, "kind": kinds}
model.fit({"image": pictures}, targets, epochs=2, verbose=0, callbacks=[ReproCallback()])
