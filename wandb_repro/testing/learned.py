"""What came of learning a tiny batch by heart, and what its numbers point to."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

from rich.console import RenderableType

from wandb_repro.report.layout import blank, bullets, heading, page, rows
from wandb_repro.report.words import count

__all__ = ["Learned", "report_of", "sentence_of"]

_SHOWN = 5
_LITTLE = 0.9
"""Part of the first loss above which a model has learned nothing worth the name."""


class Learned(NamedTuple):
    """What came of it."""

    losses: tuple[float, ...]
    """Of each step, as ``fit`` reports it."""
    wanted: float
    examples: int
    steps: int
    """That it was given."""
    trainable: int
    still: tuple[str, ...]
    """Trainable variables that are what they were."""
    odd: int
    """Numbers in the batch that are not finite."""

    @property
    def first(self) -> float:
        """Return the first step's loss."""
        return self.losses[0]

    @property
    def least(self) -> float:
        """Return the least loss that was a number."""
        return min((one for one in self.losses if math.isfinite(one)), default=math.nan)

    @property
    def reached(self) -> bool:
        """Tell whether what was wanted was reached."""
        return math.isfinite(self.losses[-1]) and self.least <= self.wanted


def sentence_of(found: Learned) -> str:
    """Return what is wrong, in a sentence."""
    batch = count(found.examples, "example")
    if not math.isfinite(found.losses[-1]):
        return f"The model does not learn: its loss is {found.losses[-1]} on a batch of {batch}."
    how = "hardly moved" if found.least > _LITTLE * abs(found.first) else "did not fall far enough"
    return f"The model does not learn a batch of {batch} by heart: its loss {how}."


def report_of(model: Any, found: Learned) -> RenderableType:
    """Return what that rests on, the likeliest cause last."""
    steps = len(found.losses)
    still = len(found.still)
    shown = [
        ("loss", f"{found.first:.6g} at the first step, {found.losses[-1]:.6g} at step {steps}"),
        ("wanted", _wanted(found)),
        ("optimizer", _optimizer(model)),
        ("never moved", f"{still} of {count(found.trainable, 'trainable variable')}"),
        *(("", name) for name in found.still[:_SHOWN]),
    ]
    if still > _SHOWN:
        shown.append(("", f"and {still - _SHOWN} more"))
    return page(
        rows(shown), blank(), heading("Likeliest cause first"), bullets(list(_causes(found)))
    )


def _wanted(found: Learned) -> str:
    steps = f"within {count(found.steps, 'step')}"
    return f"{found.wanted:.6g} {steps}" if math.isfinite(found.wanted) else ""


def _optimizer(model: Any) -> str:
    optimizer: Any = getattr(model, "optimizer", None)
    if optimizer is None:
        return "none"
    return f"{optimizer.name}, learning rate {float(optimizer.learning_rate):g}"


def _causes(found: Learned) -> Iterator[tuple[str, str, str]]:
    """Yield what the numbers point to, and what to do."""
    if found.odd:
        are = "is" if found.odd == 1 else "are"
        what = f"{count(found.odd, 'number')} of the batch {are} not finite"
        yield "-", what, "clean the data: one NaN is enough to make every weight NaN"
    elif not math.isfinite(found.losses[-1]):
        yield (
            "-",
            f"the loss stopped being a number at step {len(found.losses)}",
            "lower the learning rate; look for a logarithm of 0 and a division by 0 in the loss",
        )
    elif not found.trainable:
        yield "-", "the model has no trainable variable", "set trainable=True on a layer"
    elif len(found.still) == found.trainable:
        yield (
            "-",
            "no trainable variable moved: no gradient arrives, or it is multiplied by 0",
            "look for a learning rate of 0, an argmax, round or stop_gradient on the way to the "
            "loss, a softmax over one unit",
        )
    else:
        yield from _causes_of_moving(found)


def _causes_of_moving(found: Learned) -> Iterator[tuple[str, str, str]]:
    if found.still:
        yield (
            "-",
            f"the loss does not reach {count(len(found.still), 'variable')}, first "
            f"{found.still[0]}",
            "connect it to the output, or freeze it by trainable=False",
        )
    if found.losses[-1] > found.first:
        yield (
            "-",
            "the loss grew",
            "lower the learning rate; look at the sign of a loss of your own",
        )
    elif found.least > _LITTLE * abs(found.first):
        yield (
            "-",
            "the weights move and the loss hardly does",
            "does the loss fit the last layer (from_logits=, sparse or one-hot targets)? is the "
            "learning rate far too small? does the same input stand in the batch with two targets?",
        )
    else:
        yield (
            "-",
            "it learns, and not fast enough",
            "raise the learning rate or steps=; a regularizer or strong dropout may keep the loss "
            "up: then say what is enough by to= or below=",
        )
