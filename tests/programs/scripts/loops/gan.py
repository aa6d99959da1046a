"""GAN, two optimizers in one train_step.

start: python
change: critic's learning rate in fit 2
unchanged: identical
changed: diverged
names: fit 2
"""

import keras
import tensorflow as tf
from keras import ops

import wandb_repro

wandb_repro.init(project="gan", seed=13)
bce = keras.losses.BinaryCrossentropy(from_logits=True)


class GAN(keras.Model):
    def __init__(self):
        super().__init__()
        self.g = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
        self.d = keras.Sequential([keras.Input((2,)), keras.layers.Dense(8), keras.layers.Dense(1)])
        self.g_optimizer, self.d_optimizer = keras.optimizers.Adam(), keras.optimizers.Adam()

    def train_step(self, real):
        noise = keras.random.normal((16, 3))
        with tf.GradientTape() as g_tape, tf.GradientTape() as d_tape:
            on_real, on_fake = self.d(real), self.d(self.g(noise))
            d_loss = bce(ops.ones((16, 1)), on_real) + bce(ops.zeros((16, 1)), on_fake)
            g_loss = bce(ops.ones((16, 1)), on_fake)
        g_vars, d_vars = self.g.trainable_weights, self.d.trainable_weights
        self.g_optimizer.apply(g_tape.gradient(g_loss, g_vars), g_vars)
        self.d_optimizer.apply(d_tape.gradient(d_loss, d_vars), d_vars)
        return {"d_loss": d_loss, "g_loss": g_loss}


gan, data = GAN(), tf.data.Dataset.from_tensor_slices(tf.random.normal((64, 2))).batch(16)
gan.compile()
gan.fit(data, epochs=1, verbose=0)
# also: gan.d_optimizer.learning_rate = 2e-3
gan.fit(data, epochs=2, initial_epoch=1, verbose=0)
