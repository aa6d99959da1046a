"""Legacy Keras (tf_keras).

start: wandb-repro run
change: learning rate
unchanged: inconclusive
changed: diverged
needs: tf_keras
"""

import os

os.environ["TF_USE_LEGACY_KERAS"] = "1"

import numpy as np
import tensorflow as tf
import wandb

wandb.init(project="legacy")
tf.keras.utils.set_random_seed(1)

x = np.random.normal(size=(48, 4)).astype("float32")
y = (x.sum(axis=1) > 0).astype("float32")

model = tf.keras.models.Sequential(
    [
        tf.keras.layers.Dense(8, activation="relu", input_shape=(4,)),
        tf.keras.layers.Dense(1, activation="sigmoid"),
    ]
)
rate = 0.01
# also: rate = 0.02
model.compile(tf.keras.optimizers.Adam(rate), "binary_crossentropy", metrics=["accuracy"])
history = model.fit(x, y, epochs=2, verbose=0)
wandb.log({"loss": history.history["loss"][-1]})
