"""Actor-critic, eager loop that logs to W&B.

start: wandb-repro run
change: start of the game in episode 4
unchanged: identical
changed: diverged
names: row 4
"""

import keras
import numpy as np
import tensorflow as tf
import wandb

run = wandb.init(project="actor-critic")
keras.utils.set_random_seed(17)

inputs = keras.Input((2,))
common = keras.layers.Dense(16, activation="tanh")(inputs)
model = keras.Model(inputs, [keras.layers.Dense(2)(common), keras.layers.Dense(1)(common)])
optimizer = keras.optimizers.Adam(0.01)

for episode in range(1, 7):
    place = np.array([0.5, 0.0], "float32")
    # also: place = place * 0.9 if episode == 4 else place
    with tf.GradientTape() as tape:
        losses, rewards = [], []
        for _ in range(6):
            logits, value = model(place[None])
            action = int(tf.random.categorical(logits, 1)[0, 0])
            place = np.float32([place[0] + place[1], place[1] + (0.1 if action else -0.1)])
            rewards.append(-abs(float(place[0])))
            advantage = rewards[-1] - value[0, 0]
            chosen = tf.nn.log_softmax(logits)[0, action]
            losses.append(-chosen * tf.stop_gradient(advantage) + advantage**2)
        loss = tf.add_n(losses)
    optimizer.apply(tape.gradient(loss, model.trainable_variables), model.trainable_variables)
    run.log({"reward": sum(rewards), "loss": float(loss)})
run.finish()
