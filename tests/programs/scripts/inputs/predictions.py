"""Predictions saved and logged as artifact.

start: python
change: what is predicted
unchanged: identical
changed: diverged
names: weights are equal, file
"""

import keras
import numpy as np
import wandb

import wandb_repro

run = wandb_repro.init(project="predictions", seed=38)
x = np.random.normal(size=(48, 3)).astype("float32")
y = np.exp(-(x**2).sum(axis=1))

model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(8, "selu"), keras.layers.Dense(1)])
model.compile("adam", "huber")
model.fit(x, y, epochs=2, verbose=0)

ahead = np.linspace(-1, 1, 30, dtype="float32").reshape(10, 3)
# also: ahead[0] += 0.01
np.savez("predictions.npz", inputs=len(ahead), outputs=model.predict(ahead, verbose=0))
artifact = wandb.Artifact("predictions", type="results")
artifact.add_file("predictions.npz")
run.log_artifact(artifact)
run.finish()
