"""Can a model learn a tiny batch by heart? If not, it has a mistake; the numbers suggest which."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Iterator
from typing import Any, NamedTuple, cast

from rich.console import RenderableType

from wandb_repro.capture.dataset.pipelines import is_pydataset, is_tf_data
from wandb_repro.digest import leaf_digests
from wandb_repro.errors import UsageError
from wandb_repro.report.layout import blank, bullets, heading, page, rows
from wandb_repro.report.text import count
from wandb_repro.testing.failure import fail


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
    """Fail unless a model learns a tiny batch by heart: its loss falls to a fraction of the first.

    A model that cannot do that has a mistake: a loss that does not fit the last layer, frozen
    layers, a gradient that does not arrive, a learning rate that is far off. The model itself is
    trained, by ``fit``, so a custom ``train_step`` is tested, too.

    Args:
        model: a new, compiled Keras model; set a seed before it is built to get the same result
            every time.
        x: arrays, examples along the first axis, or a nest of them; or a ``tf.data.Dataset`` or a
            ``keras.utils.PyDataset`` of batches, whose first batch is taken.
        y: targets of arrays.
        examples: how many examples to learn.
        steps: how many optimizer steps it may take.
        to: fraction of the first step's loss to reach.
        below: loss to reach, instead of ``to``: for losses that begin at zero or less, or end far
            from it.

    Raises:
        AssertionError: the loss was not reached; the message names variables that did not change.
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
            f"The loss is {found.first:g} at the first step, so it cannot fall to a part of that. "
            "Give the loss to reach by below=."
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
        batch: Any = next(iter(cast("Any", x))) if is_tf_data(x) else cast("Any", x)[0]
        x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
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
        unmoved=tuple(name for name, digest in after if (name, digest) in set(before)),
        not_finite=_not_finite(keras, batch),
    )


def _digests(model: Any) -> list[tuple[str, str]]:
    from wandb_repro.keras import variables_of

    trainable = [variable for variable in variables_of(model) if variable.group == "trainable"]
    shown = [f"{variable.label} {list(variable.value.shape)}" for variable in trainable]
    return list(zip(shown, leaf_digests([variable.value for variable in trainable]), strict=True))


def _not_finite(keras: Any, batch: _Batch) -> int:
    """Return how many numbers of a batch are not finite."""
    import numpy as np

    leaves = [leaf for leaf in keras.tree.flatten((batch.x, batch.y)) if leaf is not None]
    arrays = [np.asarray(leaf) for leaf in leaves]
    return sum(int((~np.isfinite(array)).sum()) for array in arrays if array.dtype.kind == "f")


_SHOWN = 5
_LITTLE = 0.9
"""Fraction of the first loss above which a model counts as not learning."""


class Learned(NamedTuple):
    """The result of learning a batch."""

    losses: tuple[float, ...]
    """Of each step, as ``fit`` reports it."""
    wanted: float
    examples: int
    steps: int
    """Most steps allowed."""
    trainable: int
    unmoved: tuple[str, ...]
    """Trainable variables that did not change."""
    not_finite: int
    """Numbers in the batch that are not finite."""

    @property
    def first(self) -> float:
        """The loss of the first step."""
        return self.losses[0]

    @property
    def least(self) -> float:
        """The lowest finite loss; NaN if there is none."""
        return min((loss for loss in self.losses if math.isfinite(loss)), default=math.nan)

    @property
    def reached(self) -> bool:
        """Whether the wanted loss was reached."""
        return math.isfinite(self.losses[-1]) and self.least <= self.wanted


def sentence_of(found: Learned) -> str:
    """Return a sentence that says what is wrong."""
    batch = count(found.examples, "example")
    if not math.isfinite(found.losses[-1]):
        return f"The model does not learn: its loss is {found.losses[-1]} on a batch of {batch}."
    how = "hardly moved" if found.least > _LITTLE * abs(found.first) else "did not fall far enough"
    return f"The model does not learn a batch of {batch} by heart: its loss {how}."


def report_of(model: Any, found: Learned) -> RenderableType:
    """Return the numbers behind the sentence, then the likely causes."""
    steps = len(found.losses)
    unmoved = len(found.unmoved)
    shown = [
        ("loss", f"{found.first:.6g} at the first step, {found.losses[-1]:.6g} at step {steps}"),
        ("wanted", _wanted(found)),
        ("optimizer", _optimizer(model)),
        ("never moved", f"{unmoved} of {count(found.trainable, 'trainable variable')}"),
        *(("", name) for name in found.unmoved[:_SHOWN]),
    ]
    if unmoved > _SHOWN:
        shown.append(("", f"and {unmoved - _SHOWN} more"))
    return page(
        rows(shown),
        blank(),
        heading("Likely causes, most likely first"),
        bullets([("-", *cause) for cause in _causes(found)]),
    )


def _wanted(found: Learned) -> str:
    steps = f"within {count(found.steps, 'step')}"
    return f"{found.wanted:.6g} {steps}" if math.isfinite(found.wanted) else ""


def _optimizer(model: Any) -> str:
    optimizer: Any = getattr(model, "optimizer", None)
    if optimizer is None:
        return "none"
    return f"{optimizer.name}, learning rate {float(optimizer.learning_rate):g}"


def _causes(found: Learned) -> Iterator[tuple[str, str]]:
    """Yield likely causes, each with what to do."""
    if found.not_finite:
        are = "is" if found.not_finite == 1 else "are"
        what = f"{count(found.not_finite, 'number')} of the batch {are} not finite"
        yield what, "clean the data: one NaN is enough to make every weight NaN"
    elif not math.isfinite(found.losses[-1]):
        yield (
            f"the loss stopped being a number at step {len(found.losses)}",
            "lower the learning rate; look for a logarithm of 0 and a division by 0 in the loss",
        )
    elif not found.trainable:
        yield "the model has no trainable variable", "set trainable=True on a layer"
    elif len(found.unmoved) == found.trainable:
        yield (
            "no trainable variable moved: no gradient arrives, or it is multiplied by 0",
            "look for a learning rate of 0, an argmax, round or stop_gradient on the way to the "
            "loss, a softmax over one unit",
        )
    else:
        yield from _causes_of_moving(found)


def _causes_of_moving(found: Learned) -> Iterator[tuple[str, str]]:
    if found.unmoved:
        yield (
            f"the loss does not reach {count(len(found.unmoved), 'variable')}, first "
            f"{found.unmoved[0]}",
            "connect it to the output, or freeze it by trainable=False",
        )
    if found.losses[-1] > found.first:
        yield (
            "the loss grew",
            "lower the learning rate; check the sign of a custom loss",
        )
    elif found.least > _LITTLE * abs(found.first):
        yield (
            "the weights move and the loss hardly does",
            "does the loss fit the last layer (from_logits=, sparse or one-hot targets)? is the "
            "learning rate far too small? is the same input in the batch with two targets?",
        )
    else:
        yield (
            "it learns, but not fast enough",
            "raise the learning rate or steps=; a regularizer or strong dropout may keep the loss "
            "up: then give the loss to reach by to= or below=",
        )
