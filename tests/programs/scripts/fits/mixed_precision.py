"""Mixed precision with loss scaling.

start: python
change: initial loss scale
unchanged: identical
changed: diverged
names: step 1, dynamic_scale
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

keras.mixed_precision.set_global_policy("mixed_float16")
run = wandb_repro.init(project="half", config={"batch": 16}, seed=31)

x = np.random.normal(size=(64, 10)).astype("float32")
y = np.tanh(x.sum(axis=1))

model = keras.Sequential(
    [
        keras.Input((10,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(1, dtype="float32"),
    ]
)
adam = keras.optimizers.Adam(1e-3)
optimizer = keras.optimizers.LossScaleOptimizer(adam, initial_scale=2.0**10)
# instead: optimizer = keras.optimizers.LossScaleOptimizer(adam, initial_scale=2.0**8)
model.compile(optimizer, "mse")
model.fit(x, y, epochs=2, batch_size=run.config["batch"], verbose=0, callbacks=[ReproCallback()])
