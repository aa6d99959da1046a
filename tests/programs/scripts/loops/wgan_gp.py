"""WGAN with gradient penalty, two critic steps.

start: python
change: weight of the gradient penalty
unchanged: identical
changed: diverged
names: step 1
"""

import keras
import numpy as np
import tensorflow as tf

import wandb_repro

wandb_repro.init(project="wgan-gp", seed=21)
dense, rate = keras.layers.Dense, 1e-3
generator = keras.Sequential([keras.Input((4,)), dense(8, "relu"), dense(6)])
critic = keras.Sequential([keras.Input((6,)), dense(8, "relu"), dense(1)])
penalty = 10.0
# also: penalty = 9.0


class WGAN(keras.Model):
    def train_step(self, real):
        for _ in range(2):
            with tf.GradientTape() as tape:
                fake = generator(tf.random.normal((16, 4)))
                mixed = fake + tf.random.uniform((16, 1)) * (real - fake)
                with tf.GradientTape() as inner:
                    inner.watch(mixed)
                    score = critic(mixed)
                slope = tf.norm(inner.gradient(score, mixed) + 1e-6, axis=1)
                c_loss = tf.reduce_mean(critic(fake)) - tf.reduce_mean(critic(real))
                c_loss += penalty * tf.reduce_mean((slope - 1.0) ** 2)
            self.optimizer.apply(tape.gradient(c_loss, critic.variables), critic.variables)
        with tf.GradientTape() as tape:
            g_loss = -tf.reduce_mean(critic(generator(tf.random.normal((16, 4)))))
        gradients = tape.gradient(g_loss, generator.variables)
        self.g_optimizer.apply(gradients, generator.variables)
        return {"c_loss": c_loss, "g_loss": g_loss}


gan = WGAN()
gan.compile(optimizer=keras.optimizers.Adam(rate))
gan.g_optimizer = keras.optimizers.Adam(rate)
gan.fit(np.random.normal(size=(64, 6)).astype("float32"), batch_size=16, epochs=2, verbose=0)
