"""The state that a training needs to resume: taken when an epoch ends, restored later."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import keras

from wandb_repro.errors import CheckpointError
from wandb_repro.keras.checkpoint.callback_state import callback_states, restore_callbacks
from wandb_repro.keras.checkpoint.data_position import DataPosition
from wandb_repro.keras.checkpoint.rng_state import restore_rng_states, rng_states
from wandb_repro.keras.checkpoint.serialize import Pieces, class_of, is_saveable, pack, unpack
from wandb_repro.keras.checkpoint.unsaved_state import (
    AttributeWatch,
    Unsaved,
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
    root_of,
)
from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.recording.process_state import process
from wandb_repro.recording.wandb_run import CONFIG_KEY
from wandb_repro.state.keras_state import Reader
from wandb_repro.store.checkpoint_file import Piece, StoredCheckpoint

_NOT_SEEDED = Unsaved(
    "nothing was seeded, so values drawn before model.fit are different in each process",
    "",
    "call wandb_repro.init(seed=...) or keras.utils.set_random_seed(...) first",
)


class Taken(NamedTuple):
    """A checkpoint before it is written."""

    state: dict[str, Any]
    pieces: list[Piece]
    root: str


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
            *([_NOT_SEEDED] if seed_of_process() is None else []),
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
            "made_with": _versions(),
            "seed": seed_of_process(),
            "config": _config(),
            "model": description_of(self.model, variables),
            "position": self.position.state(),
            "generators": pack(rng_states(), pieces),
            "callbacks": pack(callback_states(self.others), pieces),
            "data": pack([self._attributes(data) for data in self._data], pieces),
        }
        return Taken(state, pieces.pieces, root_of(variables))

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
        if not ensure_built(self.model, self.fit.locals.get("epoch_iterator")):
            raise CheckpointError("the model has no weights yet: give it an Input layer")
        _check_config(found.state["config"])
        check_fits(found.state["model"], self.model, Reader(self.model).read())

    def differences(self, found: StoredCheckpoint) -> list[str]:
        """Return sentences on how this process differs from that of the checkpoint."""
        state, seed = found.state, seed_of_process()
        differences: list[str] = []
        if state["seed"] != seed:
            differences.append(
                f"it was seeded with {state['seed']} and this process with {seed}, so what was "
                "drawn before model.fit is not the same; stop, give it "
                f"seed={state['seed']}, start again"
            )
        differences += _other_config(state["config"])
        for name, version in state["made_with"].items():
            here = _versions().get(name, "none")
            if here != version:
                differences.append(f"it was made with {name} {version} and this is {here}")
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
        return restore_rng_states(generators)


def _is_of_script(value: object) -> bool:
    return class_of(value).__module__.split(".")[0] not in ("keras", "wandb", "wandb_repro")


def seed_of_process() -> str | None:
    """Return the seed of this process as text; None if none was found."""
    seeding = process.seeding
    if seeding is not None and seeding.seed is not None:
        return str(seeding.seed)
    state: Any = importlib.import_module("keras.src.backend.common.global_state")
    seed = state.get_global_attribute("global_random_seed")
    if seed is None and "tensorflow" in sys.modules:
        context: Any = importlib.import_module("tensorflow.python.eager.context").context()
        seed = getattr(context, "_seed", None)
    return None if seed is None else str(seed)


def _run() -> Any:
    return getattr(sys.modules.get("wandb"), "run", None)


def _config() -> dict[str, str]:
    """Return the active run's W&B config, each value as text; empty without a run."""
    run = _run()
    items = dict(run.config).items() if run is not None else ()
    return {str(name): repr(value) for name, value in items if name != CONFIG_KEY}


def _other_config(saved: dict[str, str]) -> list[str]:
    here = _config()
    return [
        f"config {name!r} was {saved[name]} and is {here[name]}"
        for name in sorted(saved.keys() & here.keys())
        if saved[name] != here[name]
    ]


def _check_config(saved: dict[str, str]) -> None:
    """Check the config in a sweep, where a different config means a different run.

    Raises:
        CheckpointError: the checkpoint is of another run of the sweep.
    """
    other = _other_config(saved)
    if other and getattr(_run(), "sweep_id", None):
        raise CheckpointError(f"it is of another run of the sweep: {other[0]}")


def _versions() -> dict[str, str]:
    backend = str(cast("Any", keras).backend.backend())
    module = sys.modules.get(backend)
    return {
        "keras": str(cast("Any", keras).__version__),
        backend: str(getattr(module, "__version__", "")),
    }
