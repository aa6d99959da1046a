"""A second fit, without the callback.

start: python
change: second model's labels
unchanged: identical
changed: diverged
names: fit 2
"""

import keras
import numpy as np
from keras import layers

import wandb_repro
from wandb_repro.keras import ReproCallback

wandb_repro.init(project="two-stages", seed=25)
x = np.random.normal(size=(64, 8)).astype("float32")

inputs = keras.Input((8,))
code = layers.Dense(3, activation="relu", name="code")(inputs)
autoencoder = keras.Model(inputs, layers.Dense(8)(code))
autoencoder.compile("adam", "mse")
autoencoder.fit(x, x, epochs=2, verbose=0, callbacks=[ReproCallback()])

encoder = keras.Model(inputs, code)
codes = encoder.predict(x, verbose=0)
labels = x[:, 0] > 0
# also: labels[:2] = ~labels[:2]
probe = keras.Sequential([keras.Input((3,)), layers.Dense(1, activation="sigmoid")])
probe.compile("sgd", "binary_crossentropy")
probe.fit(codes, labels.astype("float32"), epochs=2, verbose=0)
