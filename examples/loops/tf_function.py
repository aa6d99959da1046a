"""A loop of one's own whose step is compiled by ``tf.function``."""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import wandb_repro

run = wandb_repro.init(project="tf-function", config={"lr": 0.01, "epochs": 2}, seed=42)

images, labels = load_digits(return_X_y=True)
images = (images / 16).astype("float32")
wandb_repro.fingerprint("digits", images, labels)
dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images)).batch(256)

model = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.BatchNormalization(),
        keras.layers.Dense(10),
    ]
)
optimizer = keras.optimizers.SGD(run.config["lr"], momentum=0.9)
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
mean_loss = keras.metrics.Mean()


@tf.function
def train_step(x: tf.Tensor, y: tf.Tensor) -> tf.Tensor:
    """Do one optimizer step on images, (examples, 64), and labels, (examples,)."""
    with tf.GradientTape() as tape:
        loss = loss_of(y, model(x, training=True))
    gradients = tape.gradient(loss, model.trainable_variables)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return loss


# With `checkpoint=`, the same command continues a training that was stopped, with the same bits.
watch = wandb_repro.watch(model, optimizers=[optimizer], checkpoint="checkpoints")
for epoch in watch.epochs(run.config["epochs"]):
    mean_loss.reset_state()
    for x, y in watch.batches(dataset):
        loss = train_step(x, y)
        mean_loss.update_state(loss)
        watch.step(loss=loss)  # outside of the compiled function
    watch.epoch(mean_loss=mean_loss.result())
    print(f"epoch {epoch + 1}: loss {float(mean_loss.result()):.3f}")
