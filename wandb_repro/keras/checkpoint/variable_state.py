"""The variables of a model in a checkpoint."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import keras
import numpy as np

from wandb_repro.capture.weights import Variable
from wandb_repro.errors import CheckpointError
from wandb_repro.state.keras_state import grouped
from wandb_repro.state.packing import array_of, class_of
from wandb_repro.store.checkpoint_file import Piece


def description_of(model: Any, variables: Sequence[Variable]) -> dict[str, Any]:
    """Return what must be equal for a model to take another model's variables.

    Layers by class, the optimizer with its switches, and each variable as group, label, dtype,
    shape.
    """
    return {
        "layers": [type(layer).__name__ for layer in model._flatten_layers(include_self=False)],
        "optimizer": _optimizer(model),
        "variables": [
            [group, label, str(value.dtype.name), list(value.shape)]
            for group, label, value in variables
        ],
    }


def check_fits(saved: dict[str, Any], model: Any, variables: Sequence[Variable]) -> None:
    """Compare a model with the description in a checkpoint.

    Raises:
        CheckpointError: it is a different model; the message names the first difference.
    """
    here = description_of(model, variables)
    if saved["optimizer"] != here["optimizer"]:
        raise CheckpointError(
            f"its optimizer is {saved['optimizer']} and this model's is {here['optimizer']}"
        )
    if not _is_built(getattr(model, "optimizer", None)):
        # Not built here: the initial weights would then be recorded with its variables.
        saved, here = _without_optimizer(saved), _without_optimizer(here)
    for theirs, ours in zip(saved["variables"], here["variables"], strict=False):
        if (theirs[0], theirs[2], theirs[3]) != (ours[0], ours[2], ours[3]):
            raise CheckpointError(
                f"it holds {theirs[1]} as {theirs[2]}{theirs[3]}, and here "
                f"{ours[1]} is {ours[2]}{ours[3]}"
            )
    if len(saved["variables"]) != len(here["variables"]):
        raise CheckpointError(
            f"it holds {len(saved['variables'])} variables, and this model has "
            f"{len(here['variables'])}"
        )
    if saved["layers"] != here["layers"]:
        pairs = zip(saved["layers"], here["layers"], strict=False)
        other = next((pair for pair in pairs if pair[0] != pair[1]), ("more", "fewer"))
        raise CheckpointError(f"its layers differ: {other[0]} there, {other[1]} here")


def _optimizer(model: Any) -> str:
    """Return the optimizer's class and the switches that decide which variables it has."""
    optimizer: Any = getattr(model, "optimizer", None)
    config: dict[str, object] = optimizer.get_config() if optimizer is not None else {}
    switches = sorted(name for name, value in config.items() if value is True)
    return " ".join([class_of(optimizer).__name__, *switches])


def _without_optimizer(description: dict[str, Any]) -> dict[str, Any]:
    """Return a description without the variables that an optimizer makes in the first step."""
    own = [variable for variable in description["variables"] if variable[0] != "optimizer"]
    return {**description, "variables": own}


def _is_built(optimizer: Any) -> bool:
    return optimizer is None or bool(optimizer.built)


def assign(model: Any, pieces: Sequence[Piece]) -> None:
    """Set a model's variables to the values of a checkpoint; call ``check_fits`` before."""
    for (_, variable), piece in zip(grouped(model), pieces, strict=True):
        variable.assign(array_of(piece))


def build_optimizer(model: Any) -> None:
    """Make an optimizer's variables, as the first step would."""
    optimizer: Any = getattr(model, "optimizer", None)
    if not _is_built(optimizer):
        optimizer.build(model.trainable_variables)


def ensure_built(model: Any, iterator: Any) -> bool:
    """Build a model that ``fit`` would build inside its first step; return whether it is built.

    Building draws from generators, whose states are restored later.

    Args:
        model: may be built already.
        iterator: Keras' epoch iterator; its elements show which inputs the model gets.
    """
    if not (model.built and all(layer.built for layer in model._flatten_layers())):
        spec = getattr(getattr(iterator, "_distributed_dataset", None), "element_spec", None)
        if spec is None:
            return False
        x: Any = cast("tuple[Any, ...]", spec)[0] if isinstance(spec, tuple) else spec
        model(cast("Any", keras).tree.map_structure(_empty, x))
    return True


def _empty(spec: Any) -> Any:
    shape = [1 if axis is None else axis for axis in spec.shape]
    return cast("Any", np).zeros(shape, spec.dtype.as_numpy_dtype)
