"""Threshold chosen after training, in config.

start: python
change: rows on which it is chosen
unchanged: identical
changed: diverged
names: weights are equal, config threshold
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="thresholds", config={"units": 6}, seed=41)
x = np.random.normal(size=(80, 3)).astype("float32")
y = (x.sum(axis=1) > 0.5).astype("float32")
chosen_on = slice(60, 80)
# also: chosen_on = slice(50, 80)

model = keras.Sequential(
    [
        keras.Input((3,)),
        keras.layers.Dense(run.config.units, "relu"),
        keras.layers.Dense(1, "sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy")
model.fit(x[:60], y[:60], epochs=3, verbose=0, callbacks=[ReproCallback()])
scores = model.predict(x[chosen_on], verbose=0)[:, 0]
run.config.threshold = float(np.quantile(scores, 1 - y[chosen_on].mean()))
run.finish()
