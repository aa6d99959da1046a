"""Sample weights for rare rows.

start: python
change: weight of one row
unchanged: identical
changed: diverged
names: step 1
"""

import keras
import numpy as np
import wandb

import wandb_repro

with wandb.init(project="rare", config={"rare": 4.0}) as run:
    wandb_repro.init(seed=10)
    rng = np.random.default_rng(5)
    x = rng.normal(size=(80, 7)).astype("float32")
    y = (x[:, 0] > 1.2).astype("float32")
    weights = np.where(y == 1, run.config["rare"], 1.0)
    # also: weights[3] = 1.5

    model = keras.Sequential()
    model.add(keras.Input((7,)))
    model.add(keras.layers.Dense(8, activation="elu"))
    model.add(keras.layers.Dense(1, activation="sigmoid"))
    model.compile("adagrad", "binary_crossentropy", weighted_metrics=["accuracy"])
    fitted = model.fit(x, y, sample_weight=weights, epochs=3, batch_size=80, verbose=0)
    run.summary["accuracy"] = fitted.history["accuracy"][-1]
