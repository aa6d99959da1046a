"""A loop of one's own on TensorFlow, each step run eagerly."""

import keras
import tensorflow as tf
from sklearn.datasets import load_digits

import wandb_repro

run = wandb_repro.init(project="gradient-tape", config={"lr": 0.01, "epochs": 2}, seed=42)

images, labels = load_digits(return_X_y=True)
images = (images / 16).astype("float32")
wandb_repro.fingerprint("digits", images, labels)
dataset = tf.data.Dataset.from_tensor_slices((images, labels)).shuffle(len(images)).batch(256)

model = keras.Sequential(
    [
        keras.Input((64,)),
        keras.layers.Dense(64, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(10),
    ]
)
optimizer = keras.optimizers.Adam(run.config["lr"])
loss_of = keras.losses.SparseCategoricalCrossentropy(from_logits=True)

watch = wandb_repro.watch(model, optimizers=[optimizer])
for epoch in range(run.config["epochs"]):
    for x, y in watch.batches(dataset):
        with tf.GradientTape() as tape:
            loss = loss_of(y, model(x, training=True))
        gradients = tape.gradient(loss, model.trainable_variables)
        optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))
        watch.step(loss=loss)
    accuracy = (model.predict(images, verbose=0).argmax(axis=1) == labels).mean()
    watch.epoch(accuracy=accuracy)
    print(f"epoch {epoch + 1}: accuracy {accuracy:.3f}")
