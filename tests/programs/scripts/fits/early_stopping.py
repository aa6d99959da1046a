"""Early stopping, best weights restored.

start: wandb-repro run
change: best weights not restored
unchanged: identical
changed: diverged
names: final weights
"""

import keras
import numpy as np
import wandb

run = wandb.init(project="stop-early")

rng = np.random.default_rng(12)
x = rng.normal(size=(40, 12)).astype("float32")
y = (x[:, 0] + rng.normal(size=40) > 0).astype("float32")

model = keras.Sequential(
    [
        keras.Input((12,)),
        keras.layers.Dense(32, activation="relu"),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile(keras.optimizers.Adam(0.05), "binary_crossentropy", metrics=["AUC"])
restore = True
# also: restore = False
stop = keras.callbacks.EarlyStopping(monitor="val_loss", patience=3, restore_best_weights=restore)
history = model.fit(x, y, validation_split=0.3, epochs=20, verbose=0, callbacks=[stop])
run.log({"epochs": len(history.history["loss"])})
run.finish()
