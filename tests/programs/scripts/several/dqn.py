"""Deep Q-learning, a fit for each move.

start: python
change: the move at step 40
unchanged: identical
changed: diverged
names: fit 4
"""

import random

import keras
import numpy as np

import wandb_repro

run = wandb_repro.init(project="dqn", seed=2)
model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(12, "relu"), keras.layers.Dense(2)])
model.compile(keras.optimizers.Adam(0.01), "mse")

memory, state = [], np.zeros(3, "float32")
for step in range(60):
    values = model(state[None]).numpy()[0]
    move = random.randrange(2) if random.random() < 0.3 else int(values.argmax())
    # also: move = 1 - move if step == 40 else move
    after = np.float32([state[0] + (0.2 if move else -0.2), state[0], np.sin(step)])
    memory.append((state, move, -abs(after[0] - 1), after))
    state = after if step % 15 else np.zeros(3, "float32")
    batch = random.sample(memory, min(8, len(memory)))
    before, targets = np.stack([each[0] for each in batch]), []
    for old, made, reward, new in batch:
        target = model(old[None]).numpy()[0]
        target[made] = reward + 0.9 * model(new[None]).numpy().max()
        targets.append(target)
    model.fit(before, np.stack(targets), verbose=0)
run.summary["moves"] = len(memory)
