"""Variational autoencoder, own train_step.

start: python
change: seed of the sampling
unchanged: identical
changed: diverged
names: step 1
"""

import keras
import numpy as np
import tensorflow as tf
from keras import ops

import wandb_repro


class VAE(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.layers.Dense(4)
        self.decoder = keras.layers.Dense(8)
        self.seeds = keras.random.SeedGenerator(seed=1)
        # instead: self.seeds = keras.random.SeedGenerator(seed=2)

    def call(self, x):
        mean, log_var = ops.split(self.encoder(x), 2, axis=-1)
        z = mean + ops.exp(log_var / 2) * keras.random.normal(ops.shape(mean), seed=self.seeds)
        return self.decoder(z), -0.5 * ops.mean(1 + log_var - mean**2 - ops.exp(log_var))

    def train_step(self, x):
        with tf.GradientTape() as tape:
            rebuilt, kl = self(x, training=True)
            loss = ops.mean((x - rebuilt) ** 2) + 0.1 * kl
        gradients = tape.gradient(loss, self.trainable_weights)
        self.optimizer.apply(gradients, self.trainable_weights)
        return {"loss": loss, "kl": kl}


wandb_repro.init(project="vae", seed=8)
vae = VAE()
vae.compile(optimizer="adam")
vae.fit(np.random.normal(size=(64, 8)).astype("float32"), epochs=2, batch_size=16, verbose=0)
