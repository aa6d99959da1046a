"""Regression with W&B's own callback.

start: wandb-repro run
change: learning rate from epoch 3 on
unchanged: identical
changed: diverged
names: epoch 3
"""

import keras
import numpy as np
import wandb
from wandb.integration.keras import WandbMetricsLogger

wandb.init(project="houses", config={"epochs": 4})

rng = np.random.default_rng(1)
features = rng.uniform(size=(120, 5)) * [100, 3, 40, 1, 7]
prices = features @ [2.0, 30.0, -0.5, 12.0, 4.0] + rng.normal(size=120)

normalise = keras.layers.Normalization()
normalise.adapt(features)
model = keras.Sequential([normalise, keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
model.compile(keras.optimizers.RMSprop(0.05), loss="mse", metrics=["mae"])


def schedule(epoch, rate):
    return rate if epoch < 2 else rate * 0.5
    # instead: return rate if epoch < 2 else rate * 0.4


callbacks = [keras.callbacks.LearningRateScheduler(schedule), WandbMetricsLogger()]
model.fit(features, prices, validation_split=0.2, epochs=4, verbose=0, callbacks=callbacks)
