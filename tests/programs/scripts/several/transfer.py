"""Transfer: frozen base, then unfrozen.

start: python
change: learning rate after unfreezing
unchanged: identical
changed: diverged
names: fit 3
"""

import keras
import numpy as np
from keras import layers

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="transfer", seed=16)
pictures = np.random.uniform(size=(32, 8, 8, 3)).astype("float32")

base = keras.Sequential(
    [keras.Input((8, 8, 3)), layers.Conv2D(4, 3), layers.BatchNormalization(), layers.Flatten()]
)
pretrained = keras.Sequential([base, layers.Dense(3, activation="softmax")])
pretrained.compile("sgd", "sparse_categorical_crossentropy")
pretrained.fit(pictures, np.arange(32) % 3, epochs=1, verbose=0, callbacks=[ReproCallback()])

base.trainable = False
inputs = keras.Input((8, 8, 3))
model = keras.Model(inputs, layers.Dense(1)(base(inputs, training=False)))
model.compile(keras.optimizers.Adam(1e-2), "mse")
targets = pictures.mean(axis=(1, 2, 3))
model.fit(pictures, targets, epochs=1, verbose=0, callbacks=[ReproCallback()])

base.trainable = True
fine = 1e-4
# also: fine = 2e-4
model.compile(keras.optimizers.Adam(fine), "mse")
model.fit(pictures, targets, epochs=1, verbose=0, callbacks=[ReproCallback()])
model.save("tuned.keras")
