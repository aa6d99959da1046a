"""Notebook.

start: notebook
change: a bias, between two fits
unchanged: identical
changed: diverged
names: fit 2
"""

# %%
import keras
import numpy as np

import wandb_repro

# %%
run = wandb_repro.init(project="notebook", seed=28)

# %%
x = np.random.normal(size=(48, 5)).astype("float32")
y = x.max(axis=1)
model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
model.compile("adam", "mse")

# %%
model.fit(x, y, epochs=2, verbose=0)

# %%
model.optimizer.learning_rate = 0.01
# also: model.layers[0].bias.assign(np.full(8, 0.01))
fitted = model.fit(x, y, epochs=2, verbose=0)
max(fitted.history["loss"])

# %%
run.finish()
