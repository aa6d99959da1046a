"""Weights pruned by hand after training.

start: python
change: threshold of the pruning
unchanged: identical
changed: diverged
names: end of the run
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="prune", config={"keep": 0.5}, seed=27)
x = np.random.normal(size=(64, 6)).astype("float32")
y = (x[:, 0] * x[:, 1] > 0).astype("float32")

model = keras.Sequential(
    [keras.Input((6,)), keras.layers.Dense(16, "relu"), keras.layers.Dense(1, "sigmoid")]
)
model.compile("adam", "binary_crossentropy")
model.fit(x, y, epochs=3, verbose=0, callbacks=[ReproCallback()])

keep = run.config["keep"]
# also: keep = 0.6
for layer in model.layers:
    kernel = np.array(layer.kernel)
    limit = np.quantile(np.abs(kernel), 1 - keep)
    layer.kernel.assign(np.where(np.abs(kernel) < limit, 0, kernel))
model.save("pruned.keras")
