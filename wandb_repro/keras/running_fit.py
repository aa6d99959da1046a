"""The running fit of Keras, as a recorder reads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, cast

from wandb_repro.capture.weights import Variable
from wandb_repro.keras.batch_tap import Take, watch
from wandb_repro.keras.callback_effects import changes_between_steps
from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.fit.fit_recorder import UNBUILT
from wandb_repro.recording.messages import warn_once
from wandb_repro.state.keras_state import Model, Reader, is_built, on_tensorflow


class KerasFit:
    """A fit, as a callback sees it."""

    losses = "what Keras reports after the step: means over the epoch so far"

    def __init__(self, callback: object, frame: FitFrame) -> None:
        self._callback: Any = callback
        self._reader: Reader | None = None
        self._frame = frame
        self.arguments = frame.locals
        self.steps_at_once = int(getattr(self.model, "steps_per_execution", 1) or 1)

    @property
    def model(self) -> Model:
        """The model that trains."""
        # NOTE: on JAX, Keras' getter copies the newest weights into the model's variables.
        return cast("Model", self._callback.model)

    @property
    def steps_per_epoch(self) -> int | None:
        """Optimizer steps in an epoch; None while Keras does not know."""
        steps = cast("dict[str, object]", self._callback.params or {}).get("steps")
        return steps if isinstance(steps, int) else None

    def missing_initial(self) -> str:
        """Return why the initial weights cannot be read; empty if they can."""
        return "" if is_built(self.model) else UNBUILT

    def changes_between_steps(self) -> bool:
        """Whether another callback may change the weights while no step runs."""
        others = (other for other in self._frame.callbacks if other is not self._callback)
        return any(map(changes_between_steps, others))

    def watch(self, take: Take, at_most: int | None = None) -> Unavailable | None:
        """Show each batch to ``take`` on its way to the model; return the reason if impossible."""
        return watch(self.arguments, take, at_most=at_most)

    def batches_in(self, steps: int) -> int:
        """Return ``steps``: each step takes one batch."""
        return steps

    def read(self, *, anew: bool) -> Iterator[Variable]:
        """Yield the variables; nothing is read before the first is requested."""
        model = self.model
        if self._reader is None:
            self._reader = Reader(model)
        elif anew:
            self._reader.walk()
        yield from self._reader.read()


def warn_of_repeated_order(fit: Mapping[str, Any]) -> None:
    """Warn that on TensorFlow a seeded ``fit`` on arrays repeats the order of examples."""
    # Source: measured on digits, Keras 3.15 on TensorFlow 2.21: validation loss .105 against .090.
    adapter = getattr(fit.get("epoch_iterator"), "data_adapter", None)
    arrays = type(adapter).__name__ == "ArrayDataAdapter"
    epochs = fit.get("epochs", 1) - fit.get("initial_epoch", 0)
    if arrays and fit.get("shuffle") is True and epochs > 1 and on_tensorflow():
        warn_once(
            "on TensorFlow a seeded fit on NumPy arrays shows the examples in the same order in "
            "every epoch; train on wandb_repro.keras.shuffled(x, y, batch_size) to reshuffle"
        )
