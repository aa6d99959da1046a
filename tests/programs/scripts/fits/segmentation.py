"""Segmentation, U-shaped network, validation.

start: python
change: one validation mask
unchanged: identical
changed: diverged
names: val_, weights are equal
"""

import keras
import numpy as np
from keras import layers

import wandb_repro
from wandb_repro.keras import ReproCallback

wandb_repro.init(project="blots", seed=5)

rng = np.random.default_rng(2)
images = rng.uniform(size=(24, 16, 16, 1)).astype("float32")
masks = (images > 0.6).astype("float32")
# also: masks[20, 4:8] = 1 - masks[20, 4:8]

inputs = keras.Input((16, 16, 1))
down = layers.Conv2D(4, 3, padding="same", activation="relu")(inputs)
middle = layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(down)
up = layers.Conv2DTranspose(4, 3, strides=2, padding="same", activation="relu")(middle)
outputs = layers.Conv2D(1, 1, activation="sigmoid")(layers.Concatenate()([up, down]))
unet = keras.Model(inputs, outputs)
unet.compile("adam", "binary_crossentropy", metrics=[keras.metrics.BinaryIoU()])
unet.fit(
    images[:16],
    masks[:16],
    validation_data=(images[16:], masks[16:]),
    batch_size=8,
    epochs=2,
    verbose=0,
    callbacks=[ReproCallback()],
)
