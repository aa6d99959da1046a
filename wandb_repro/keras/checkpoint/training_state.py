"""The state that a training needs to resume: taken when an epoch ends, restored later."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

import keras

from wandb_repro.capture.weights import root_of_variables
from wandb_repro.errors import CheckpointError
from wandb_repro.keras.checkpoint.callback_state import callback_states, restore_callbacks
from wandb_repro.keras.checkpoint.data_position import DataPosition
from wandb_repro.keras.checkpoint.unsaved_state import (
    AttributeWatch,
    unsaved_of_fit,
    unsaved_of_step,
    unsaved_of_watches,
)
from wandb_repro.keras.checkpoint.variable_state import (
    assign,
    build_optimizer,
    check_fits,
    description_of,
    ensure_built,
)
from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.recording.checkpoint_process import (
    NOT_SEEDED,
    Unsaved,
    check_config,
    differences_of_process,
    seed_of_process,
    state_of_process,
)
from wandb_repro.recording.checkpoint_series import Taken
from wandb_repro.recording.rng_registry import registered_by_name
from wandb_repro.state.keras_state import Reader
from wandb_repro.state.packing import Pieces, class_of, is_saveable, pack, unpack
from wandb_repro.state.rng_state import restore_rng_states, rng_states
from wandb_repro.store.checkpoint_file import StoredCheckpoint


@dataclass
class TrainingState:
    """The state of one fit that can be saved, and reports of what cannot."""

    model: Any
    fit: FitFrame
    others: list[Any]
    """The callbacks whose state is saved: all except ours."""
    position: DataPosition = field(init=False)
    watches: list[AttributeWatch] = field(init=False)

    def __post_init__(self) -> None:
        self.position = DataPosition(self.fit.locals)
        self._data = [data for data in self._sources() if hasattr(data, "__getitem__")]
        owners = filter(_is_of_script, (*self.others, *self._data))
        self.watches = [AttributeWatch(owner) for owner in owners]

    def _sources(self) -> list[Any]:
        sources = (self.fit.locals.get("x"), self.fit.locals.get("val_x"))
        kind = getattr(keras.utils, "PyDataset", ())
        return [source for source in sources if isinstance(source, kind)]

    def unsaved(self, *, search: bool) -> list[Unsaved]:
        """Return what a checkpoint of this training cannot save, as far as known now.

        Args:
            search: also search the pipelines and the compiled step, which do not change.
        """
        if not search:
            return unsaved_of_watches(self.watches)
        step = getattr(self.model, "train_function", None)
        return [
            *([NOT_SEEDED] if seed_of_process() is None else []),
            *unsaved_of_fit(self.fit.locals, self.others),
            *unsaved_of_step(step),
            *unsaved_of_watches(self.watches),
        ]

    def take(self, entries: dict[str, Any]) -> Taken:
        """Return the current state, with further entries for its JSON.

        On a CPU the arrays share the variables' memory: write them before training continues.

        Raises:
            CheckpointError: the model has no variables.
            Unsaveable: a callback's state contains something that is not plain.
        """
        variables = Reader(self.model).read()
        if not variables:
            raise CheckpointError("the model has no variables")
        pieces = Pieces()
        for variable in variables:
            pieces.add(variable.value)
        state: dict[str, Any] = {
            **entries,
            **state_of_process(_frameworks()),
            "model": description_of(self.model, variables),
            "position": self.position.state(),
            "generators": pack(rng_states(registered_by_name()), pieces),
            "callbacks": pack(callback_states(self.others), pieces),
            "data": pack([self._attributes(data) for data in self._data], pieces),
        }
        return Taken(state, pieces.pieces, root_of_variables(variables))

    def _attributes(self, data: Any) -> dict[str, Any]:
        """Return the attributes of the user's dataset that changed since ``fit`` began."""
        changed = next((watch.changed() for watch in self.watches if watch.owner is data), ())
        values = {name: getattr(data, name, None) for name in changed}
        return {name: value for name, value in values.items() if is_saveable(value)}

    def check(self, found: StoredCheckpoint) -> None:
        """Check that a checkpoint belongs to this training.

        Raises:
            CheckpointError: it is of a different model, or of another run of a sweep.
        """
        if "model" not in found.state:
            raise CheckpointError("it is of a loop, and not of a fit")
        if not ensure_built(self.model, self.fit.locals.get("epoch_iterator")):
            raise CheckpointError("the model has no weights yet: give it an Input layer")
        check_config(found.state["config"])
        check_fits(found.state["model"], self.model, Reader(self.model).read())

    def differences(self, found: StoredCheckpoint) -> list[str]:
        """Return sentences on how this process differs from that of the checkpoint."""
        state = found.state
        differences = differences_of_process(state)
        kind = self.position.state()["kind"]
        if state["position"]["kind"] != kind:
            was = state["position"]["kind"]
            differences.append(f"its data came from {was} and now comes from {kind}")
        return differences

    def restore_weights(self, found: StoredCheckpoint) -> None:
        """Restore the variables of the model and its optimizer."""
        build_optimizer(self.model)
        assign(self.model, found.pieces[: len(found.state["model"]["variables"])])

    def restore_callbacks(self, found: StoredCheckpoint) -> list[str]:
        """Restore the other callbacks; return sentences about those that could not be."""
        return restore_callbacks(self.others, unpack(found.state["callbacks"], found.pieces))

    def restore_data(self, found: StoredCheckpoint, skipped: Callable[[int], object]) -> list[str]:
        """Move to the position in the data, then restore the generators.

        Args:
            found: the checkpoint.
            skipped: called with the number of batches before they are skipped.

        Returns:
            Sentences about the generators that could not be restored.
        """
        attributes: Sequence[dict[str, Any]] = unpack(found.state["data"], found.pieces)
        generators = unpack(found.state["generators"], found.pieces)
        self.position.restore(found.state["position"], skipped)
        for data, values in zip(self._data, attributes, strict=False):
            for name, value in values.items():
                setattr(data, name, value)
        # Last: making iterators of the data draws from the generators.
        return restore_rng_states(generators, registered_by_name())


def _is_of_script(value: object) -> bool:
    return class_of(value).__module__.split(".")[0] not in ("keras", "wandb", "wandb_repro")


def _frameworks() -> tuple[str, str]:
    return ("keras", str(cast("Any", keras).backend.backend()))
