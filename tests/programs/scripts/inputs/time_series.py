"""Time series with an LSTM.

start: python
change: seed of the windows' order
unchanged: identical
changed: diverged
names: step 1
"""

import keras
import numpy as np

import wandb_repro

wandb_repro.init(project="weather", seed=4)

hours = np.arange(200)
noise = np.random.normal(scale=0.1, size=200)
series = (np.sin(hours / 6) + noise).astype("float32")[:, None]
past, order = 12, 9
# also: order = 10

train = keras.utils.timeseries_dataset_from_array(
    series[:-past],
    targets=series[past:],
    sequence_length=past,
    batch_size=32,
    shuffle=True,
    seed=order,
    end_index=150,
)
valid = keras.utils.timeseries_dataset_from_array(
    series[:-past], targets=series[past:], sequence_length=past, start_index=150
)
model = keras.Sequential([keras.Input((past, 1)), keras.layers.LSTM(8), keras.layers.Dense(1)])
model.compile("adam", "mse")
model.fit(train, validation_data=valid, epochs=2, verbose=0)
