"""Siamese network, contrastive loss.

start: python
change: one pair's label
unchanged: identical
changed: diverged
names: the end of epoch 1, loss
"""

import keras
import numpy as np
from keras import layers, ops

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="pairs", seed=6)

rng = np.random.default_rng(4)
kinds = rng.integers(2, size=(40, 2))
left, right = (kinds[:, side, None] + 0.2 * rng.normal(size=(40, 5)) for side in (0, 1))
same = (kinds[:, 0] == kinds[:, 1]).astype("float32")
# also: same[7] = 1 - same[7]

encoder = keras.Sequential([layers.Dense(8, activation="relu"), layers.Dense(3)])
first, second = keras.Input((5,)), keras.Input((5,))
distance = ops.norm(encoder(first) - encoder(second), axis=1, keepdims=True)
siamese = keras.Model([first, second], distance)


def contrastive(label, apart):
    near = label * ops.square(apart)
    far = (1 - label) * ops.square(ops.maximum(1.0 - apart, 0.0))
    return ops.mean(near + far)


siamese.compile("adam", contrastive)
siamese.fit([left, right], same, epochs=2, batch_size=10, verbose=0, callbacks=[ReproCallback()])
