"""A model with its own training step: it learns to remove noise and clips each gradient."""

import keras
import numpy as np
import tensorflow as tf
from sklearn.datasets import load_digits

import wandb_repro
from wandb_repro.keras import ReproCallback


class Denoiser(keras.Model):
    """Learns to return the image without the noise that was added to it."""

    def train_step(self, data: tf.Tensor) -> dict[str, tf.Tensor]:
        """Do one optimizer step on a batch of images, (examples, 64)."""
        with tf.GradientTape() as tape:
            loss = keras.ops.mean(keras.ops.square(data - self(data, training=True)))
        weights = self.trainable_variables
        gradients = tape.gradient(loss, [weight.value for weight in weights])
        clipped = [tf.clip_by_norm(gradient, 1.0) for gradient in gradients]
        self.optimizer.apply(clipped, weights)
        return {"loss": loss}


run = wandb_repro.init(project="custom-step", config={"lr": 0.01, "epochs": 2}, seed=3)

images, _ = load_digits(return_X_y=True)
images = (images / 16).astype(np.float32)
wandb_repro.fingerprint("images", images)
dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(128)

inputs = keras.Input((64,))
hidden = keras.layers.GaussianNoise(0.2)(inputs)
hidden = keras.layers.Dense(32, activation="relu")(hidden)
model = Denoiser(inputs, keras.layers.Dense(64, activation="sigmoid")(hidden))
model.compile(keras.optimizers.Adam(run.config["lr"]))
model.fit(
    dataset,
    epochs=run.config["epochs"],
    shuffle=False,  # the dataset shuffles itself in every epoch
    verbose=2,
    callbacks=[ReproCallback()],
)
