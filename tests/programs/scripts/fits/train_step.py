"""Own train_step with a metric of its own.

start: python
change: a metric alone
unchanged: identical
changed: diverged
names: weights are equal, error
"""

import keras
import numpy as np
import tensorflow as tf

import wandb_repro


class RootError(keras.Model):
    def __init__(self, *arguments, **options):
        super().__init__(*arguments, **options)
        self.error = keras.metrics.Mean(name="error")

    @property
    def metrics(self):
        return [self.error]

    def train_step(self, data):
        x, y = data
        with tf.GradientTape() as tape:
            loss = tf.reduce_mean((self(x, training=True)[:, 0] - y) ** 2)
        gradients = tape.gradient(loss, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        self.error.update_state(tf.sqrt(loss))
        # instead: self.error.update_state(tf.sqrt(loss) + 1e-6)
        return {"error": self.error.result(), "loss": loss}


wandb_repro.init(project="own-step", seed=9)
inputs = keras.Input((4,))
model = RootError(inputs, keras.layers.Dense(1)(keras.layers.Dense(8, "gelu")(inputs)))
model.compile(keras.optimizers.SGD(0.05, momentum=0.9))
x = np.random.normal(size=(60, 4)).astype("float32")
model.fit(x, x.prod(axis=1), epochs=3, batch_size=20, verbose=0)
