"""Distillation from a teacher to a student.

start: python
change: teacher, before fit 2
unchanged: identical
changed: diverged
names: fit 2
"""

import keras
import numpy as np
from keras import ops

import wandb_repro


class Distiller(keras.Model):
    def __init__(self, student, teacher):
        super().__init__()
        self.student, self.teacher = student, teacher

    def call(self, x, training=None):
        return self.student(x, training=training)

    def compute_loss(self, x=None, y=None, y_pred=None, sample_weight=None, training=True):
        soft = ops.softmax(self.teacher(x, training=False) / 3.0)
        hard = keras.losses.sparse_categorical_crossentropy(y, y_pred, from_logits=True)
        kept = keras.losses.kl_divergence(soft, ops.softmax(y_pred / 3.0))
        return 0.5 * ops.mean(hard) + 0.5 * ops.mean(kept)


wandb_repro.init(project="distil", seed=15)
dense, loss = keras.layers.Dense, keras.losses.SparseCategoricalCrossentropy(from_logits=True)
x = np.random.normal(size=(64, 6)).astype("float32")
y = x[:, :3].argmax(axis=1)
teacher = keras.Sequential([keras.Input((6,)), dense(32, "relu"), dense(3)])
teacher.compile("adam", loss)
teacher.fit(x, y, epochs=2, verbose=0)
# also: teacher.layers[-1].bias.assign([0.0, 0.0, 0.1])
teacher.trainable = False
distiller = Distiller(keras.Sequential([keras.Input((6,)), dense(4, "relu"), dense(3)]), teacher)
distiller.compile("adam")
distiller.fit(x, y, epochs=2, verbose=0)
