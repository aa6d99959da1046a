"""Clocks, speeds and a path logged.

start: wandb-repro run
change: the score
unchanged: identical
changed: diverged
names: weights are equal, score
"""

import os
import time

import keras
import numpy as np
import wandb

run = wandb.init(project="clocks")
x = np.random.normal(size=(40, 4)).astype("float32")
y = x.sum(axis=1)
model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")


class Speed(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        self.began = time.perf_counter()

    def on_epoch_end(self, epoch, logs=None):
        seconds = time.perf_counter() - self.began
        wandb.log({"loss": logs["loss"], "seconds": seconds, "rows_per_sec": 40 / seconds})


model.fit(x, y, epochs=3, verbose=0, callbacks=[Speed()])
rated = np.float32([1, 2, 3, 4])
# also: rated[0] = 1.5
score = float(model.predict(rated[None], verbose=0)[0, 0])
wandb.log({"score": score, "runtime": time.time(), "folder_path": os.getcwd()})
run.finish()
