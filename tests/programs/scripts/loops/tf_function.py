"""Tf.function in a loop that logs to W&B.

start: wandb-repro run
change: gradient clipping in epoch 3
unchanged: identical
changed: diverged
"""

import keras
import tensorflow as tf
import wandb

run = wandb.init(project="experts", config={"epochs": 4})
tf.random.set_seed(6)
x = tf.random.normal((64, 6))
y = tf.cast(tf.reduce_sum(x, axis=1) > 0, tf.int32)
train = tf.data.Dataset.from_tensor_slices((x, y)).shuffle(64, seed=2).batch(16)

model = keras.Sequential([keras.layers.Dense(12, activation="relu"), keras.layers.Dense(2)])
cross_entropy = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
optimizer = keras.optimizers.Adam()
train_loss = keras.metrics.Mean(name="train_loss")
clip = tf.Variable(1.0, trainable=False)


@tf.function
def train_step(features, labels):
    with tf.GradientTape() as tape:
        loss = cross_entropy(labels, model(features, training=True))
    gradients, _ = tf.clip_by_global_norm(tape.gradient(loss, model.trainable_variables), clip)
    optimizer.apply_gradients(zip(gradients, model.trainable_variables))
    train_loss(loss)


for epoch in range(run.config["epochs"]):
    train_loss.reset_state()
    # also: clip.assign(0.1 if epoch == 2 else 1.0)
    for features, labels in train:
        train_step(features, labels)
    run.log({"epoch": epoch, "loss": float(train_loss.result())})
run.finish()
