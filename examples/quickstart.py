"""The shortest script: two lines make its run repeatable bit for bit."""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="quickstart", config={"lr": 0.01, "epochs": 3}, seed=42)

images, labels = load_digits(return_X_y=True)
images = (images / 16).astype("float32")
wandb_repro.fingerprint("digits", images, labels)
dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images)).batch(64)

model = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10, activation="softmax"),
    ]
)
model.compile(
    keras.optimizers.Adam(run.config["lr"]), "sparse_categorical_crossentropy", metrics=["accuracy"]
)
model.fit(
    dataset,
    epochs=run.config["epochs"],
    shuffle=False,  # the dataset shuffles itself in every epoch
    verbose=2,
    callbacks=[ReproCallback()],
)
