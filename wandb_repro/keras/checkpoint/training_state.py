"""Everything that a training needs to go on: taken at the end of an epoch, put back in another."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, cast

import keras

from wandb_repro.api import process
from wandb_repro.errors import CheckpointError
from wandb_repro.keras.checkpoint.callback_state import put_back_callbacks, states_of_callbacks
from wandb_repro.keras.checkpoint.data_position import Position
from wandb_repro.keras.checkpoint.rng_state import put_back_generators, states_of_generators
from wandb_repro.keras.checkpoint.serialize import Pieces, class_of, is_saveable, packed, unpacked
from wandb_repro.keras.checkpoint.unsaved_state import (
    Unsaved,
    Watch,
    unsaved_of_fit,
    unsaved_of_step,
    unsaved_of_watches,
)
from wandb_repro.keras.checkpoint.variable_state import (
    assign,
    build_optimizer,
    built,
    check_fits,
    described,
    root_of,
)
from wandb_repro.keras.fit_frame import FitFrame
from wandb_repro.keras.variables import Reader
from wandb_repro.recording.wandb_run import CONFIG_KEY
from wandb_repro.store.checkpoint_file import Piece, StoredCheckpoint

__all__ = ["Taken", "Training", "seed_of_process"]

_NOT_SEEDED = Unsaved(
    "nothing was seeded, so what is drawn before model.fit is drawn anew",
    "",
    "call wandb_repro.init(seed=...) or keras.utils.set_random_seed(...) first",
)


class Taken(NamedTuple):
    """A checkpoint before it is written."""

    state: dict[str, Any]
    pieces: list[Piece]
    root: str


@dataclass
class Training:
    """One fit: what of it is kept, and what cannot be."""

    model: Any
    fit: FitFrame
    others: list[Any]
    """The callbacks whose state is kept, without those that we put there."""
    position: Position = field(init=False)
    watches: list[Watch] = field(init=False)

    def __post_init__(self) -> None:
        self.position = Position(self.fit.locals)
        self._data = [one for one in self._sources() if hasattr(one, "__getitem__")]
        self.watches = [Watch(one) for one in (*self.others, *self._data) if _is_of_script(one)]

    def _sources(self) -> list[Any]:
        held = (self.fit.locals.get("x"), self.fit.locals.get("val_x"))
        kind = getattr(keras.utils, "PyDataset", ())
        return [one for one in held if isinstance(one, kind)]

    def unsaved(self, *, whole: bool) -> list[Unsaved]:
        """Return what a checkpoint of this training cannot hold, as far as it is known by now.

        Args:
            whole: look through pipelines and the compiled step, too, which stay as they are.
        """
        if not whole:
            return unsaved_of_watches(self.watches)
        step = getattr(self.model, "train_function", None)
        return [
            *([_NOT_SEEDED] if seed_of_process() is None else []),
            *unsaved_of_fit(self.fit.locals, self.others),
            *unsaved_of_step(step),
            *unsaved_of_watches(self.watches),
        ]

    def take(self, told: dict[str, Any]) -> Taken:
        """Return the state as it stands now, and ``told`` with it.

        On a CPU the arrays share the memory of the variables: write them before training goes on.
        """
        variables = Reader(self.model).read()
        if not variables:
            raise CheckpointError("the model has no variables")
        pieces = Pieces()
        for one in variables:
            pieces.add(one.value)
        state: dict[str, Any] = {
            **told,
            "made_with": _versions(),
            "seed": seed_of_process(),
            "config": _config(),
            "model": described(self.model, variables),
            "position": self.position.told(),
            "generators": packed(states_of_generators(), pieces),
            "callbacks": packed(states_of_callbacks(self.others), pieces),
            "data": packed([self._attributes(one) for one in self._data], pieces),
        }
        return Taken(state, pieces.pieces, root_of(variables))

    def _attributes(self, data: Any) -> dict[str, Any]:
        """Return the attributes of the user's dataset that changed since ``fit`` began."""
        changed = next((one.changed() for one in self.watches if one.owner is data), ())
        values = {name: getattr(data, name, None) for name in changed}
        return {name: value for name, value in values.items() if is_saveable(value)}

    def check(self, found: StoredCheckpoint) -> None:
        """Compare this training with the one that a checkpoint is of.

        Raises:
            CheckpointError: it is of another model.
        """
        if not built(self.model, self.fit.locals.get("epoch_iterator")):
            raise CheckpointError("the model has no weights yet: give it an Input layer")
        _check_config(found.state["config"])
        check_fits(found.state["model"], self.model, Reader(self.model).read())

    def others_than(self, found: StoredCheckpoint) -> list[str]:
        """Return how this process is not the one that a checkpoint is of, in words."""
        state, seed = found.state, seed_of_process()
        told: list[str] = []
        if state["seed"] != seed:
            told.append(
                f"it was seeded with {state['seed']} and this process with {seed}, so what was "
                "drawn before model.fit is not the same; stop, give it "
                f"seed={state['seed']}, start again"
            )
        told += _other_config(state["config"])
        for name, version in state["made_with"].items():
            here = _versions().get(name, "none")
            if here != version:
                told.append(f"it was made with {name} {version} and this is {here}")
        kind = self.position.told()["kind"]
        if state["position"]["kind"] != kind:
            told.append(f"its data came by {state['position']['kind']} and now comes by {kind}")
        return told

    def put_back_weights(self, found: StoredCheckpoint) -> None:
        """Give the model and its optimizer their values."""
        build_optimizer(self.model)
        assign(self.model, found.pieces[: len(found.state["model"]["variables"])])

    def put_back_callbacks(self, found: StoredCheckpoint) -> list[str]:
        """Give the other callbacks their state; return what could not be, in words."""
        return put_back_callbacks(self.others, unpacked(found.state["callbacks"], found.pieces))

    def put_back_data(self, found: StoredCheckpoint, skipped: Callable[[int], object]) -> list[str]:
        """Come to the place in the data, then give the generators their state."""
        attributes: Sequence[dict[str, Any]] = unpacked(found.state["data"], found.pieces)
        generators = unpacked(found.state["generators"], found.pieces)
        self.position.put_back(found.state["position"], skipped)
        for data, told in zip(self._data, attributes, strict=False):
            for name, value in told.items():
                setattr(data, name, value)
        return put_back_generators(generators)


def _is_of_script(value: object) -> bool:
    return class_of(value).__module__.split(".")[0] not in ("keras", "wandb", "wandb_repro")


def seed_of_process() -> str | None:
    """Return the seed that this process was given, as text; None where there is none to be seen."""
    seeding = process.seeding
    if seeding is not None and seeding.seed is not None:
        return str(seeding.seed)
    state: Any = importlib.import_module("keras.src.backend.common.global_state")
    found = state.get_global_attribute("global_random_seed")
    if found is None and "tensorflow" in sys.modules:
        context: Any = importlib.import_module("tensorflow.python.eager.context").context()
        found = getattr(context, "_seed", None)
    return None if found is None else str(found)


def _run() -> Any:
    return getattr(sys.modules.get("wandb"), "run", None)


def _config() -> dict[str, str]:
    """Return W&B's config of the run that is active, each value as text; empty without one."""
    run = _run()
    items = dict(run.config).items() if run is not None else ()
    return {str(name): repr(value) for name, value in items if name != CONFIG_KEY}


def _other_config(told: dict[str, str]) -> list[str]:
    here = _config()
    return [
        f"config {name!r} was {told[name]} and is {here[name]}"
        for name in sorted(told.keys() & here.keys())
        if told[name] != here[name]
    ]


def _check_config(told: dict[str, str]) -> None:
    """Compare configs where another one means another training: in a sweep.

    Raises:
        CheckpointError: it is of another run of the sweep.
    """
    other = _other_config(told)
    if other and getattr(_run(), "sweep_id", None):
        raise CheckpointError(f"it is of another run of the sweep: {other[0]}")


def _versions() -> dict[str, str]:
    backend = str(cast("Any", keras).backend.backend())
    module = sys.modules.get(backend)
    return {
        "keras": str(cast("Any", keras).__version__),
        backend: str(getattr(module, "__version__", "")),
    }
