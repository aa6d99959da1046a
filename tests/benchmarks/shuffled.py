"""``shuffled``: its speed beside ``tf.data``'s own shuffle, and what another order is worth."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from typing import Any, cast

import numpy
from sklearn import datasets

__all__ = ["measure", "measure_all"]

np: Any = cast("Any", numpy)

_ROUNDS = 3
_SHAPES = {"28 x 28 bytes": ((28, 28), "u1"), "32 x 32 x 3 float32": ((32, 32, 3), "f4")}
_ROWS, _BATCH = 10_000, 128
_SEEDS, _FEW = 20, 4
_EPOCHS = 15


def measure() -> Iterator[str]:
    """Yield the speed, and validation losses over a few seeds."""
    yield from _speed()
    yield from _losses(_FEW)


def measure_all() -> Iterator[str]:
    """Yield the validation losses over 20 seeds."""
    yield from _losses(_SEEDS)


def _speed() -> Iterator[str]:
    import tensorflow

    from wandb_repro.keras import shuffled

    tf: Any = tensorflow
    for name, (shape, dtype) in _SHAPES.items():
        x = np.zeros((_ROWS, *shape), dtype)
        y = np.zeros(_ROWS, "i4")
        slices = tf.data.Dataset.from_tensor_slices((x, y))
        own = slices.shuffle(_ROWS).batch(_BATCH).prefetch(tf.data.AUTOTUNE)
        ours = _as_fit_reads(shuffled(x, y, _BATCH, seed=1))
        rates = [_ROWS / _best(partial(_through, one)) for one in (ours, own)]
        yield (
            f"{_ROWS:,} rows of {name}: shuffled {rates[0]:,.0f} rows/s, tf.data's own shuffle "
            f"{rates[1]:,.0f} rows/s, ratio {rates[0] / rates[1]:.2f}"
        )


def _as_fit_reads(dataset: Any) -> Any:
    """Return the pipeline that Keras makes of a dataset on TensorFlow."""
    from keras.src.trainers.data_adapters import py_dataset_adapter

    return cast("Any", py_dataset_adapter).PyDatasetAdapter(dataset).get_tf_dataset()


def _through(batches: Iterable[object]) -> None:
    for _ in batches:
        pass


def _best(call: Callable[[], object]) -> float:
    took: list[float] = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return min(took)


def _losses(seeds: int) -> Iterator[str]:
    x, y = cast("Any", datasets).load_digits(return_X_y=True)
    mixed = np.random.default_rng(0).permutation(len(x))  # the last digits are of other writers
    x, y = (x[mixed] / 16).astype("f4"), y[mixed]
    parts = x[:1500], y[:1500], x[1500:], y[1500:]
    for name, way in _WAYS.items():
        losses = [_validated(way, parts, seed) for seed in range(seeds)]
        spread = statistics.stdev(losses)
        yield (
            f"digits, {seeds} seeds, {_EPOCHS} epochs: {name}: validation loss "
            f"{statistics.mean(losses):.4f} ± {spread / seeds**0.5:.4f}"
        )


def _same_order(x: Any, y: Any, seed: int) -> dict[str, Any]:
    del seed
    return {"x": x, "y": y, "batch_size": 32}


def _shuffled(x: Any, y: Any, seed: int) -> dict[str, Any]:
    from wandb_repro.keras import shuffled

    return {"x": shuffled(x, y, 32, seed=seed)}


def _tf_data(x: Any, y: Any, seed: int) -> dict[str, Any]:
    import tensorflow

    del seed
    slices = cast("Any", tensorflow).data.Dataset.from_tensor_slices((x, y))
    return {"x": slices.shuffle(len(x)).batch(32), "shuffle": False}


_WAYS = {
    "fit on arrays, one order": _same_order,
    "shuffled": _shuffled,
    "tf.data's own shuffle": _tf_data,
}


def _validated(way: Callable[[Any, Any, int], dict[str, Any]], parts: Any, seed: int) -> float:
    import keras

    k: Any = keras
    x, y, *validation = parts
    k.backend.clear_session()
    k.utils.set_random_seed(seed)
    layers = [k.Input((64,)), k.layers.Dense(32, "relu"), k.layers.Dense(10)]
    model = k.Sequential(layers)
    loss = k.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(k.optimizers.Adam(3e-3), loss, jit_compile=False)
    model.fit(**way(x, y, seed), epochs=_EPOCHS, verbose=0)
    return float(model.evaluate(*validation, verbose=0))
