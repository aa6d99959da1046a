"""Rows in an order that no seed repeats.

start: python
change: the number of units
unchanged: diverged
changed: diverged
"""

import random

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

wandb_repro.init(project="unseeded", seed=39)
x = np.random.normal(size=(64, 4)).astype("float32")
y = np.cos(x[:, 0])
order = list(range(64))
random.SystemRandom().shuffle(order)
units = 6
# also: units = 7

model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(units), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(x[order], y[order], epochs=2, verbose=0, callbacks=[ReproCallback()])
