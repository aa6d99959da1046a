"""Threads that build and train, in no order.

start: python
change: first weights of one of them
unchanged: identical
changed: diverged
"""

import random
import threading
import time

import keras
import numpy as np

import wandb_repro

wandb_repro.init(project="threads", seed=8)
x = np.random.normal(size=(64, 4)).astype("float32")
y = x.sum(axis=1)
trained = {}


def pause():
    time.sleep(random.SystemRandom().random() / 5)


def build_and_fit(seed):
    pause()
    model = keras.Sequential([keras.Input((4,))])
    for units in (3, 1):
        initializer = keras.initializers.GlorotUniform(seed=seed + units)
        model.add(keras.layers.Dense(units, kernel_initializer=initializer))
        pause()
    # also: seed == 20 and model.layers[0].bias.assign([0.0, 0.1, 0.0])
    model.compile("sgd", "mse")
    model.fit(x, y, epochs=2, verbose=0, shuffle=False)
    trained[seed] = model


threads = [threading.Thread(target=build_and_fit, args=(10 * k,)) for k in (1, 2, 3)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
