"""Moving average of weights, swapped in.

start: python
change: momentum of the average
unchanged: identical
changed: diverged
names: step 2, average
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="ema", seed=18)
x = np.random.normal(size=(64, 5)).astype("float32")
y = np.abs(x).sum(axis=1)

model = keras.Sequential(
    [keras.Input((5,)), keras.layers.Dense(12, activation="silu"), keras.layers.Dense(1)]
)
momentum = 0.9
# also: momentum = 0.8
optimizer = keras.optimizers.AdamW(0.01, use_ema=True, ema_momentum=momentum)
model.compile(optimizer, "mse", metrics=["mae"])
model.fit(
    x[:48],
    y[:48],
    validation_data=(x[48:], y[48:]),
    batch_size=12,
    epochs=3,
    verbose=0,
    callbacks=[keras.callbacks.SwapEMAWeights(swap_on_epoch=True), ReproCallback(steps=2)],
)
