"""PyDataset that shuffles each epoch.

start: python
change: one shuffle is skipped
unchanged: identical
changed: diverged
names: batch
"""

import keras
import numpy as np

import wandb_repro
from wandb_repro.keras import ReproCallback


class Rows(keras.utils.PyDataset):
    def __init__(self, x, y, batch_size):
        super().__init__(workers=2)
        self.x, self.y, self.batch_size = x, y, batch_size
        self.order, self.epoch, self.skipped = np.arange(len(x)), 0, None
        # also: self.skipped = 1

    def __len__(self):
        return len(self.x) // self.batch_size

    def __getitem__(self, index):
        rows = self.order[index * self.batch_size : (index + 1) * self.batch_size]
        return self.x[rows], self.y[rows]

    def on_epoch_end(self):
        self.epoch += 1
        if self.epoch != self.skipped:
            self.order = np.random.default_rng(self.epoch).permutation(self.order)


run = wandb_repro.init(project="py-dataset", seed=34)
x = np.random.normal(size=(40, 5)).astype("float32")
model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(Rows(x, x.mean(axis=1), 8), epochs=3, verbose=0, callbacks=[ReproCallback()])
