"""Tables: Normalization, StringLookup adapted.

start: python
change: rows that adapt reads
unchanged: identical
changed: diverged
names: beginning of training, adapt, normalization
"""

import keras
import numpy as np
import pandas as pd
import tensorflow as tf
from keras import layers

import wandb_repro
from wandb_repro.keras import ReproCallback

run = wandb_repro.init(project="columns", seed=36)
rng = np.random.default_rng(6)
table = pd.DataFrame({"age": rng.uniform(20, 80, 60), "city": rng.choice(["Ulm", "Bonn"], 60)})
table["buys"] = ((table["age"] > 50) & (table["city"] == "Ulm")).astype("float32")
wandb_repro.fingerprint("customers", table)

age, city = keras.Input((1,), name="age"), keras.Input((1,), name="city", dtype="string")
normalise, lookup = layers.Normalization(), layers.StringLookup(output_mode="one_hot")
normalise.adapt(table[["age"]].to_numpy())
# instead: normalise.adapt(table[["age"]].to_numpy()[:50])
lookup.adapt(table["city"].tolist())
joined = layers.Concatenate()([normalise(age), lookup(city)])
model = keras.Model([age, city], layers.Dense(1, activation="sigmoid")(joined))
model.compile("adam", "binary_crossentropy", metrics=["accuracy"])
features = {"age": table[["age"]].to_numpy(), "city": table[["city"]].to_numpy().tolist()}
rows = tf.data.Dataset.from_tensor_slices((features, table["buys"].to_numpy())).batch(20)
model.fit(rows, epochs=2, verbose=0, callbacks=[ReproCallback()])
