"""Actor and critic learn to keep a cart in the middle of its track; no data set, no epochs."""

import keras
import numpy as np
import tensorflow as tf

import wandb_repro

run = wandb_repro.init(project="actor-critic", config={"lr": 0.01, "episodes": 12}, seed=42)
rng = np.random.default_rng(7)

STEPS, DISCOUNT = 20, 0.95

inputs = keras.Input((2,))
hidden = keras.layers.Dense(32, activation="tanh")(inputs)
actor = keras.Model(inputs, keras.layers.Dense(2)(hidden), name="actor")
critic = keras.Model(inputs, keras.layers.Dense(1)(hidden), name="critic")
optimizer = keras.optimizers.Adam(run.config["lr"])
weights = [*actor.trainable_variables, *critic.trainable_variables[2:]]


def moved(state: np.ndarray, action: int) -> tuple[np.ndarray, float]:
    """Push the cart, (position, speed), left (0) or right (1); return its state and the reward."""
    position, speed = state
    speed = 0.9 * speed + (0.1 if action else -0.1)
    position = np.clip(position + speed, -1, 1)
    return np.array([position, speed], "float32"), 1 - abs(position)


watch = wandb_repro.watch(actor, critic, optimizers=[optimizer])
with watch:  # the initial weights are digested here, since there are no batches
    for _ in range(run.config["episodes"]):
        state = rng.uniform(-0.5, 0.5, 2).astype("float32")
        states, actions, rewards = [], [], []
        for _ in range(STEPS):
            chances = tf.nn.softmax(actor(state[None]))[0].numpy()
            action = int(rng.random() < chances[1])
            states.append(state)
            actions.append(action)
            state, reward = moved(state, action)
            rewards.append(reward)
        returns = [0.0]
        for reward in reversed(rewards):
            returns.insert(0, reward + DISCOUNT * returns[0])
        target = tf.constant(returns[:-1], "float32")
        with tf.GradientTape() as tape:
            observed = tf.stack(states)
            values = critic(observed)[:, 0]
            chosen = tf.gather(tf.nn.log_softmax(actor(observed)), actions, batch_dims=1)
            advantage = tf.stop_gradient(target - values)
            actor_loss = -tf.reduce_mean(chosen * advantage)
            critic_loss = tf.reduce_mean(tf.square(target - values))
            loss = actor_loss + critic_loss
        optimizer.apply_gradients(zip(tape.gradient(loss, weights), weights, strict=True))
        watch.step(loss=loss, critic_loss=critic_loss, reward=sum(rewards))
    print(f"last episode: reward {sum(rewards):.2f} of {STEPS}")
