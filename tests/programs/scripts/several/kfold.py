"""Cross-validation with scikit-learn's KFold.

start: wandb-repro run
change: seed of the folds
unchanged: identical
changed: diverged
"""

import keras
import numpy as np
import wandb
from sklearn.datasets import make_classification
from sklearn.model_selection import KFold

wandb.init(project="kfold", config={"folds": 3})
x, y = make_classification(n_samples=90, n_features=6, random_state=0)
folds = KFold(n_splits=3, shuffle=True, random_state=1)
# instead: folds = KFold(n_splits=3, shuffle=True, random_state=2)

scores = []
for fold, (train, test) in enumerate(folds.split(x)):
    model = keras.Sequential(
        [keras.Input((6,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(1, "sigmoid")]
    )
    model.compile("rmsprop", "binary_crossentropy", metrics=["accuracy"])
    model.fit(x[train], y[train], epochs=2, verbose=0)
    loss, accuracy = model.evaluate(x[test], y[test], verbose=0)
    wandb.log({"fold": fold, "accuracy": accuracy})
    scores.append(accuracy)
wandb.summary["mean"] = float(np.mean(scores))
wandb.finish()
