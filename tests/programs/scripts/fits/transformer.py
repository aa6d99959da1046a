"""Transformer block, callback writes a weight.

start: python
change: a weight after epoch 2
unchanged: identical
changed: diverged
names: epoch 2
"""

import keras
import numpy as np
from keras import layers

import wandb_repro

wandb_repro.init(project="transformer", seed=23)
tokens = np.random.randint(1, 20, size=(48, 10))
labels = (tokens.sum(axis=1) % 3).astype("int32")

inputs = keras.Input((10,), dtype="int32")
x = layers.Embedding(20, 8)(inputs) + layers.Embedding(10, 8)(np.arange(10))
attended = layers.MultiHeadAttention(num_heads=2, key_dim=4, dropout=0.1)(x, x)
x = layers.LayerNormalization()(x + attended)
x = layers.LayerNormalization()(x + layers.Dense(8)(layers.Dense(16, "relu")(x)))
outputs = layers.Dense(3, "softmax")(layers.GlobalAveragePooling1D()(x))
model = keras.Model(inputs, outputs)


class Normed(keras.callbacks.Callback):
    def on_epoch_end(self, epoch, logs=None):
        table = self.model.layers[1].embeddings
        table.assign(table / keras.ops.maximum(1.0, keras.ops.norm(table)))
        # also: table.assign(table * (0.999 if epoch == 1 else 1.0))


model.compile("adam", "sparse_categorical_crossentropy", metrics=["accuracy"])
model.fit(tokens, labels, batch_size=16, epochs=3, verbose=0, callbacks=[Normed()])
