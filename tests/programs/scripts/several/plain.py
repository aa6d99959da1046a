"""Script without W&B.

start: wandb-repro run
change: a row of the training data
unchanged: identical
changed: diverged
names: step 1
"""

import keras
import numpy as np

x = np.linspace(-1, 1, 60, dtype="float32")[:, None]
y = x**2
# also: y[30] = 0.1
keras.utils.set_random_seed(1)


class Wave(keras.layers.Layer):
    def build(self, shape):
        self.rate = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, inputs):
        return keras.ops.sin(self.rate * inputs)


model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(8), Wave(), keras.layers.Dense(1)])
model.compile(optimizer="adam", loss="mse")
model.fit(x, y, epochs=3, batch_size=20, verbose=2)
print("test", model.evaluate(x, y, verbose=0))
model.save_weights("wave.weights.h5")
