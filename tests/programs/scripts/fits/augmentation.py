"""Augmentation layers inside the model.

start: python
change: seed of one augmentation layer
unchanged: identical
changed: diverged
names: initial weights, seed
"""

import keras
import numpy as np
from keras import layers

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="augment", config={"epochs": 2}, seed=14)

rng = np.random.default_rng(3)
images = rng.uniform(size=(24, 12, 12, 3)).astype("float32")
labels = rng.integers(4, size=24)
turn = layers.RandomRotation(0.1, seed=1)
# instead: turn = layers.RandomRotation(0.1, seed=2)

model = keras.Sequential(
    [
        keras.Input((12, 12, 3)),
        layers.RandomFlip("horizontal"),
        turn,
        layers.RandomContrast(0.2),
        layers.SeparableConv2D(8, 3, activation="relu"),
        layers.GlobalMaxPooling2D(),
        layers.Dense(4),
    ]
)
loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
model.compile(keras.optimizers.Nadam(1e-3), loss)
model.fit(images, labels, batch_size=8, epochs=2, verbose=0, callbacks=[ReproCallback()])
