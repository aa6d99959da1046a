"""A generative adversarial network: two models, each with an optimizer."""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import wandb_repro

run = wandb_repro.init(project="gan", config={"lr": 0.001, "epochs": 2, "noise": 16}, seed=42)

images, _ = load_digits(return_X_y=True)
images = (images / 8 - 1).astype("float32")
wandb_repro.fingerprint("digits", images)
dataset = tf.data.Dataset.from_tensor_slices(images).shuffle(len(images)).batch(256)

generator = keras.Sequential(
    [
        keras.Input((run.config["noise"],)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dense(64, activation="tanh"),
    ],
    name="generator",
)
discriminator = keras.Sequential(
    [keras.Input((64,)), keras.layers.Dense(64, activation="relu"), keras.layers.Dense(1)],
    name="discriminator",
)
g_optimizer = keras.optimizers.Adam(run.config["lr"], beta_1=0.5)
d_optimizer = keras.optimizers.Adam(run.config["lr"], beta_1=0.5)
loss_of = keras.losses.BinaryCrossentropy(from_logits=True)


@tf.function
def train_step(real: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
    """Do one step of both models on real images, (examples, 64), and return both losses."""
    noise = tf.random.normal((tf.shape(real)[0], run.config["noise"]))
    with tf.GradientTape(persistent=True) as tape:
        fake = generator(noise, training=True)
        on_real, on_fake = discriminator(real, training=True), discriminator(fake, training=True)
        d_loss = tf.add(
            loss_of(tf.ones_like(on_real), on_real), loss_of(tf.zeros_like(on_fake), on_fake)
        )
        g_loss = loss_of(tf.ones_like(on_fake), on_fake)
    for loss, model, optimizer in (
        (d_loss, discriminator, d_optimizer),
        (g_loss, generator, g_optimizer),
    ):
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
    return g_loss, d_loss


watch = wandb_repro.watch(generator, discriminator, optimizers=[g_optimizer, d_optimizer])
for epoch in range(run.config["epochs"]):
    for batch in watch.batches(dataset):
        g_loss, d_loss = train_step(batch)
        watch.step(loss=g_loss, d_loss=d_loss)
    watch.epoch()
    print(f"epoch {epoch + 1}: generator {float(g_loss):.3f}, discriminator {float(d_loss):.3f}")
