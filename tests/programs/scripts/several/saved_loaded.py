"""Model saved in the middle and loaded.

start: python
change: optimizer made anew after loading
unchanged: identical
changed: diverged
names: initial weights of fit 2, variables
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="resume", seed=24)
x = np.random.normal(size=(50, 3)).astype("float32")
y = x @ np.float32([1, -2, 3])

model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(6, "tanh"), keras.layers.Dense(1)])
model.compile(keras.optimizers.Adam(0.02), "mae")
model.fit(x, y, epochs=2, verbose=0, callbacks=[ReproCallback()])
model.save("middle.keras")
del model

again = keras.models.load_model("middle.keras")
# also: again.compile(keras.optimizers.Adam(0.02), "mae")
again.fit(x, y, epochs=2, verbose=0, callbacks=[ReproCallback()])
again.save("end.keras")
run.log({"loss": again.evaluate(x, y, verbose=0)})
run.finish()
