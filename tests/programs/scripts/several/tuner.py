"""KerasTuner's random search.

start: python
change: scale of the targets
unchanged: identical
changed: diverged
names: batch
needs: keras_tuner, tensorboard
"""

import keras
import keras_tuner
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback

# KerasTuner writes how long its trials took, and a set, whose order is another in each process.
run = wandb_repro.init(project="tuner", seed=31, volatile=["oracle.json"])
x = np.random.normal(size=(60, 4)).astype("float32")
y = np.sin(x).sum(axis=1)


def build(choices):
    units = choices.Choice("units", [4, 8, 16])
    model = keras.Sequential(
        [keras.Input((4,)), keras.layers.Dense(units, activation="relu"), keras.layers.Dense(1)]
    )
    model.compile(keras.optimizers.Adam(choices.Float("rate", 1e-3, 1e-1, sampling="log")), "mse")
    return model


tuner = keras_tuner.RandomSearch(
    build, "val_loss", max_trials=2, seed=5, directory=run.dir, overwrite=True
)
scale = 1.0
# also: scale = 1.5
tuner.search(x, scale * y, validation_split=0.25, epochs=2, verbose=0, callbacks=[ReproCallback()])
best = tuner.get_best_hyperparameters()[0]
run.log({"units": best.get("units"), "rate": best.get("rate")})
run.finish()
