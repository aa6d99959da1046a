"""Test score logged after training.

start: python
change: rows of the test data
unchanged: identical
changed: diverged
names: weights are equal, test_
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="scores", seed=37)
x = np.random.normal(size=(90, 4)).astype("float32")
y = (x[:, 0] > x[:, 1]).astype("float32")
train, test = slice(0, 60), slice(60, 90)
# also: test = slice(70, 90)

model = keras.Sequential(
    [keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(x[train], y[train], epochs=3, verbose=0, callbacks=[ReproCallback()])
loss, accuracy = model.evaluate(x[test], y[test], verbose=0)
run.log({"test_accuracy": accuracy})
run.summary["test_loss"] = loss
run.finish()
