"""Image_dataset_from_directory.

start: python
change: a pixel of a picture
unchanged: identical
changed: diverged
names: epoch 1, conv2d
"""

import tempfile
from pathlib import Path

import keras
import numpy as np
import tensorflow as tf

import wandb_repro

run = wandb_repro.init(project="folders", seed=35)

folder = Path(tempfile.mkdtemp())
rng = np.random.default_rng(10)
for kind in ("cats", "dogs"):
    (folder / kind).mkdir()
    for number in range(12):
        picture = rng.integers(256, size=(10, 10, 3)) // (1 + (kind == "cats"))
        # also: picture[4, 4] += 20 * (number == 3 and kind == "dogs")
        png = tf.io.encode_png(picture.astype("uint8"))
        tf.io.write_file(str(folder / kind / f"{number}.png"), png)

train, valid = keras.utils.image_dataset_from_directory(
    folder, validation_split=0.25, subset="both", seed=1, image_size=(10, 10), batch_size=6
)
model = keras.Sequential(
    [
        keras.layers.Rescaling(1 / 255),
        keras.layers.Conv2D(4, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(train.prefetch(1), validation_data=valid, epochs=2, verbose=0)
