"""GradientTape, eager loop with watch.

start: python
change: the batch at step 5
unchanged: identical
changed: diverged
names: step 5, batch
"""

import keras
import numpy as np
import tensorflow as tf

import wandb_repro

run = wandb_repro.init(project="tape", config={"epochs": 3}, seed=30)
x = np.random.normal(size=(48, 4)).astype("float32")
y = x[:, :1] * x[:, 1:2]
batches = [(x[rows : rows + 16], y[rows : rows + 16]) for rows in (0, 16, 32)]

model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1)])
optimizer = keras.optimizers.Adam(0.01)
accuracy = keras.metrics.MeanSquaredError()

watch = wandb_repro.watch(model, optimizers=[optimizer], steps=1)
for epoch in range(run.config["epochs"]):
    order = np.random.permutation(3)
    # also: order = order[[0, 2, 1]] if epoch == 1 else order
    for features, targets in watch.batches([batches[each] for each in order]):
        with tf.GradientTape() as tape:
            predicted = model(features, training=True)
            loss = tf.reduce_mean((predicted - targets) ** 2)
        optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
        accuracy.update_state(targets, predicted)
        watch.step(loss=loss)
    watch.epoch(mse=accuracy.result())
    accuracy.reset_state()
