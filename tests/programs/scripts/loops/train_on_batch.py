"""Train_on_batch, each step logged to W&B.

start: wandb-repro run
change: a step after the last row
unchanged: identical
changed: diverged
names: end of the run
"""

import keras
import numpy as np
import wandb

run = wandb.init(project="on-batch")
keras.utils.set_random_seed(8)
x = np.random.normal(size=(64, 6)).astype("float32")
y = x[:, :2].sum(axis=1)

model = keras.Sequential([keras.Input((6,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
model.compile("adam", "mse", metrics=["mae"])
for step in range(8):
    rows = np.random.randint(64, size=16)
    loss, error = model.train_on_batch(x[rows], y[rows])
    wandb.log({"loss": float(loss), "mae": float(error)}, step=step)
# also: model.train_on_batch(x[:16], y[:16])
model.save_weights("last.weights.h5")
wandb.finish()
