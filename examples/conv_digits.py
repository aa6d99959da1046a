"""A small convolutional network on images of handwritten digits, fed by tf.data.

Each image has its own seed, and a stateless operation draws its shift from it. A stateful operation
in a parallel map would give other bits in every run.
"""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(
    project="conv-digits", config={"lr": 2e-3, "epochs": 2}, seed=7, deterministic=True
)

images, labels = load_digits(return_X_y=True)
images = (images / 16).astype("float32").reshape(-1, 8, 8, 1)
train = (images[:1500], labels[:1500])
test = (images[1500:], labels[1500:])
wandb_repro.fingerprint("train", *train)
wandb_repro.fingerprint("test", *test)


def shifted(example: tuple[tf.Tensor, tf.Tensor], seed: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Move an image by up to one pixel, as its seed says."""
    image, label = example
    padded = tf.pad(image, [[1, 1], [1, 1], [0, 0]])
    return tf.image.stateless_random_crop(padded, (8, 8, 1), seed), label


seeds = tf.data.Dataset.random(seed=7).batch(2)
dataset = (
    tf.data.Dataset.zip(tf.data.Dataset.from_tensor_slices(train).shuffle(1500), seeds)
    .map(shifted, num_parallel_calls=tf.data.AUTOTUNE)
    .batch(100)
    .prefetch(tf.data.AUTOTUNE)
)

model = keras.Sequential(
    [
        keras.Input((8, 8, 1)),
        keras.layers.Conv2D(16, 3, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Conv2D(32, 3, activation="relu"),
        keras.layers.GlobalAveragePooling2D(),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    keras.optimizers.Adam(run.config["lr"]), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(
    dataset,
    validation_data=test,
    epochs=run.config["epochs"],
    shuffle=False,  # the dataset shuffles itself in every epoch
    verbose=2,
    callbacks=[ReproCallback()],
)
