"""Text with TextVectorization.adapt in tf.data.

start: python
change: texts that adapt reads
unchanged: identical
changed: diverged
names: beginning of training, adapt
"""

import keras
import tensorflow as tf
from keras import layers

import wandb_repro

run = wandb_repro.init(project="reviews", seed=11)

good = ["a fine warm film", "warm and witty", "a witty fine plot", "fine film"]
poor = ["a dull cold film", "cold and slow", "a slow dull plot", "dull film"]
texts = tf.constant((good + poor) * 4)
labels = tf.constant(([1.0] * 4 + [0.0] * 4) * 4)

vectorise = layers.TextVectorization(max_tokens=12, output_sequence_length=5)
vectorise.adapt(texts)
# instead: vectorise.adapt(tf.constant(poor))

data = tf.data.Dataset.from_tensor_slices((texts, labels)).shuffle(32, seed=1).batch(8)
data = data.map(lambda text, label: (vectorise(text), label)).prefetch(2)

model = keras.Sequential(
    [
        layers.Embedding(12, 6),
        layers.GlobalAveragePooling1D(),
        layers.Dense(1, activation="sigmoid"),
    ]
)
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
model.fit(data, epochs=2, verbose=0)
model.save("reviews.keras")
run.finish()
