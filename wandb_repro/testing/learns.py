"""Can a model learn a tiny batch by heart? One that cannot is wired wrongly."""

from __future__ import annotations

import math
import operator
import sys
from typing import Any, NamedTuple, cast

from wandb_repro.capture.dataset.pipelines import is_pydataset, is_tf_data
from wandb_repro.digest import leaf_digests
from wandb_repro.errors import UsageError
from wandb_repro.testing.learned import Learned, report_of, sentence_of
from wandb_repro.testing.told import fail

__all__ = ["assert_learns"]


def assert_learns(
    model: object,
    x: object,
    y: object = None,
    *,
    examples: int = 16,
    steps: int = 300,
    to: float = 0.1,
    below: float | None = None,
) -> None:
    """Fail unless a model learns a tiny batch by heart: its loss falls to a part of the first.

    A model that cannot do that has a mistake: a loss that does not fit the last layer, frozen
    layers, a gradient that does not arrive, a learning rate of the wrong size. It trains the model
    that it is given, by ``fit``, so that a ``train_step`` of your own is tried, too.

    Args:
        model: a compiled Keras model, new; with a seed set before it was built, the test gives the
            same answer every time.
        x: arrays, examples along the first axis, or a nest of them; or a ``tf.data.Dataset`` or a
            ``keras.utils.PyDataset`` of batches, whose first batch is taken.
        y: targets of arrays.
        examples: how many are learned.
        steps: how many optimizer steps it may take.
        to: part of the first step's loss that has to be reached.
        below: the loss that has to be reached, instead of ``to``: for losses that begin at zero or
            less, or end far from it.

    Raises:
        AssertionError: it was not reached; the message names what did not move.
        UsageError: the model is not compiled, or there is no example.
    """
    __tracebackhide__ = True
    keras: Any = sys.modules.get("keras")
    if keras is None or not isinstance(model, keras.Model):
        raise UsageError(f"assert_learns takes a Keras model, not a {type(model).__name__}.")
    trained: Any = model
    if not trained.compiled:
        raise UsageError("The model is not compiled. Call model.compile(...) before assert_learns.")
    if steps < 1 or examples < 1:
        raise UsageError(f"steps={steps} and examples={examples}: both are 1 or more.")
    batch = _batch(keras, x, y, examples)
    found = _learned(keras, trained, batch, steps=steps, to=to, below=below)
    if below is None and not found.first > 0 and math.isfinite(found.first):
        raise UsageError(
            f"The loss is {found.first:g} at the first step, and no part of that can be reached. "
            "Say what is to be reached by below=."
        )
    if not found.reached:
        fail(sentence_of(found), report_of(trained, found))


class _Batch(NamedTuple):
    x: object
    y: object
    examples: int


def _batch(keras: Any, x: object, y: object, examples: int) -> _Batch:
    """Return the first examples.

    Raises:
        UsageError: there are none.
    """
    __tracebackhide__ = True
    if is_tf_data(x) or is_pydataset(x):
        given: Any = next(iter(cast("Any", x))) if is_tf_data(x) else cast("Any", x)[0]
        x, y, _ = keras.utils.unpack_x_y_sample_weight(given)
    cut: Any = keras.tree.map_structure(operator.itemgetter(slice(examples)), (x, y))
    sizes = {int(leaf.shape[0]) for leaf in keras.tree.flatten(cut) if leaf is not None}
    if len(sizes) != 1 or not min(sizes):
        raise UsageError(
            f"x and y hold {sorted(sizes)} examples: give as many of both, one or more."
        )
    return _Batch(cut[0], cut[1], sizes.pop())


def _learned(
    keras: Any, model: Any, batch: _Batch, *, steps: int, to: float, below: float | None
) -> Learned:
    losses: list[float] = []

    def enough(_: int, logs: dict[str, Any] | None = None) -> None:
        losses.append(float((logs or {}).get("loss", math.nan)))
        wanted = to * losses[0] if below is None else below
        if not math.isfinite(losses[-1]) or losses[-1] <= wanted:
            model.stop_training = True

    if not model.built:
        model(keras.tree.map_structure(operator.itemgetter(slice(1)), batch.x))
    before = _digests(model)
    model.fit(
        batch.x,
        batch.y,
        batch_size=batch.examples,
        epochs=steps,
        shuffle=False,
        verbose=0,
        callbacks=[keras.callbacks.LambdaCallback(on_epoch_end=enough)],
    )
    after = _digests(model)
    return Learned(
        losses=tuple(losses),
        wanted=to * losses[0] if below is None else below,
        examples=batch.examples,
        steps=steps,
        trainable=len(after),
        still=tuple(name for name, digest in after if (name, digest) in set(before)),
        odd=_odd(keras, batch),
    )


def _digests(model: Any) -> list[tuple[str, str]]:
    from wandb_repro.keras import variables_of

    found = [one for one in variables_of(model) if one.group == "trainable"]
    shown = [f"{one.label} {list(one.value.shape)}" for one in found]
    return list(zip(shown, leaf_digests([one.value for one in found]), strict=True))


def _odd(keras: Any, batch: _Batch) -> int:
    """Return how many numbers of a batch are not finite."""
    import numpy as np

    arrays = [np.asarray(one) for one in keras.tree.flatten((batch.x, batch.y)) if one is not None]
    return sum(int((~np.isfinite(one)).sum()) for one in arrays if one.dtype.kind == "f")
