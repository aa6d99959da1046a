"""Keras' stateless API on JAX, with watch.

start: python
change: learning rate at step 7
unchanged: identical
changed: diverged
names: step 7
needs: jax
"""

import os

os.environ["KERAS_BACKEND"] = "jax"

import jax
import keras
import numpy as np

import wandb_repro

run = wandb_repro.init(project="stateless", seed=32)
x = np.random.normal(size=(64, 5)).astype("float32")
y = np.tanh(x @ np.random.normal(size=(5, 1)))

model = keras.Sequential([keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
optimizer = keras.optimizers.SGD(0.1)
optimizer.build(model.trainable_variables)


def loss_of(trainable, fixed, features, targets):
    predicted, fixed = model.stateless_call(trainable, fixed, features, training=True)
    return ((predicted - targets) ** 2).mean(), fixed


@jax.jit
def train_step(state, features, targets):
    trainable, fixed, rest = state
    compute = jax.value_and_grad(loss_of, has_aux=True)
    (loss, fixed), gradients = compute(trainable, fixed, features, targets)
    trainable, rest = optimizer.stateless_apply(rest, gradients, trainable)
    return (trainable, fixed, rest), loss


groups = (model.trainable_variables, model.non_trainable_variables, optimizer.variables)
state = [[variable.value for variable in group] for group in groups]
watch = wandb_repro.watch(steps=1)
for step in range(1, 13):
    rows = np.random.choice(64, 16)
    # also: state[2][1] = state[2][1] * (0.5 if step == 7 else 1)
    state, loss = train_step(state, x[rows], y[rows])
    watch.step(state, loss=loss)
watch.epoch()
