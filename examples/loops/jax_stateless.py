"""Keras' stateless API on JAX: each step returns a new state, which ``watch.step`` is given."""

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

import wandb_repro

run = wandb_repro.init(project="jax-stateless", config={"lr": 0.01, "epochs": 2}, seed=42)

rng = np.random.default_rng(3)
x = rng.normal(size=(512, 8)).astype("float32")
y = (x.sum(axis=1, keepdims=True) > 0).astype("float32")
wandb_repro.fingerprint("train", x, y)
batches = [(x[first : first + 64], y[first : first + 64]) for first in range(0, len(x), 64)]

model = keras.Sequential(
    [
        keras.Input((8,)),
        keras.layers.Dense(16, activation="relu"),
        keras.layers.Dropout(0.2),
        keras.layers.Dense(1, activation="sigmoid"),
    ]
)
optimizer = keras.optimizers.Adam(run.config["lr"])
optimizer.build(model.trainable_variables)
loss_of = keras.losses.BinaryCrossentropy()


def loss_and_state(trainable, non_trainable, x, y):
    predicted, non_trainable = model.stateless_call(trainable, non_trainable, x, training=True)
    return loss_of(y, predicted), non_trainable


@jax.jit
def train_step(state, x, y):
    trainable, non_trainable, slots = state
    gradient = jax.value_and_grad(loss_and_state, has_aux=True)
    (loss, non_trainable), gradients = gradient(trainable, non_trainable, x, y)
    trainable, slots = optimizer.stateless_apply(slots, gradients, trainable)
    return loss, (trainable, non_trainable, slots)


state = tuple(
    [variable.value for variable in variables]
    for variables in (
        model.trainable_variables,
        model.non_trainable_variables,
        optimizer.variables,
    )
)
watch = wandb_repro.watch(model, optimizers=[optimizer])
for epoch in range(run.config["epochs"]):
    for batch in watch.batches(batches):
        loss, state = train_step(state, *batch)
        watch.step(state, loss=loss)
    watch.epoch()
    print(f"epoch {epoch + 1}: loss {float(loss):.3f}")
