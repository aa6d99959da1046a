"""Two models, each in a thread.

start: python
change: data of the second thread
unchanged: identical
changed: diverged
"""

import threading

import keras
import numpy as np

import wandb_repro

run = wandb_repro.init(project="threads", seed=26)
rng = np.random.default_rng(9)
data = [(rng.normal(size=(40, 4)).astype("float32"), rng.normal(size=40)) for _ in range(2)]
# also: data[1] = (data[1][0] * 1.5, data[1][1])


def build():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(5, "relu")])
    model.add(keras.layers.Dense(1))
    model.compile("adam", "mse")
    return model


models = [build() for _ in data]
threads = [
    threading.Thread(target=model.fit, args=part, kwargs={"epochs": 2, "verbose": 0})
    for model, part in zip(models, data)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
for number, model in enumerate(models):
    model.save(f"model-{number}.keras")
