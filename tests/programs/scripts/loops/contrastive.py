"""Contrastive views, bare tf.Variable.

start: python
change: the temperature, after training
unchanged: identical
changed: diverged
names: end of the run, temperature
"""

import keras
import numpy as np
import tensorflow as tf

import wandb_repro

wandb_repro.init(project="simclr", seed=29)
layers = keras.layers
augment = keras.Sequential([layers.RandomFlip("horizontal"), layers.RandomBrightness(0.2, (0, 1))])
temperature = tf.Variable(0.5, name="temperature")


class SimCLR(keras.Model):
    def __init__(self):
        super().__init__()
        self.encoder = keras.Sequential([layers.Conv2D(4, 3, 2), layers.Flatten(), layers.Dense(6)])

    def train_step(self, images):
        with tf.GradientTape() as tape:
            views = [self.encoder(augment(images, training=True)) for _ in range(2)]
            first, second = (tf.math.l2_normalize(view, axis=1) for view in views)
            logits = tf.matmul(first, second, transpose_b=True) / temperature
            labels = tf.range(tf.shape(images)[0])
            loss = tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels, logits))
        weights = self.encoder.trainable_weights
        *gradients, slope = tape.gradient(loss, [*weights, temperature])
        self.optimizer.apply(gradients, weights)
        temperature.assign_sub(0.01 * slope)
        return {"loss": loss}


model = SimCLR()
model.compile(optimizer="adam")
model.fit(np.random.uniform(size=(32, 8, 8, 1)), batch_size=16, epochs=2, verbose=0)
# also: temperature.assign_add(0.001)
