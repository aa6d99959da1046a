"""Search: a plain loop over models.

start: python
change: learning rate of trial 3
unchanged: identical
changed: diverged
names: fit 3
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="search", seed=22)
x = np.random.normal(size=(60, 4)).astype("float32")
y = np.sin(x).sum(axis=1)


def build(units, rate):
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(rate), "mse")
    return model


best, space = (np.inf, None), [(4, 1e-2), (8, 1e-2), (8, 1e-3), (16, 1e-3)]
# also: space[2] = (8, 2e-3)
for number, (units, rate) in enumerate(space):
    keras.backend.clear_session()
    model = build(units, rate)
    fitted = model.fit(
        x, y, validation_split=0.25, epochs=2, verbose=0, callbacks=[ReproCallback()]
    )
    score = fitted.history["val_loss"][-1]
    run.log({"trial": number, "units": units, "val_loss": score})
    if score < best[0]:
        best = (score, model)
best[1].save("best.keras")
run.finish()
