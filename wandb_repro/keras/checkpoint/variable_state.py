"""The variables of a model, as a checkpoint holds them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import keras
import numpy as np

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import leaf_digests, root_digest
from wandb_repro.errors import CheckpointError
from wandb_repro.keras.checkpoint.serialize import array_of, class_of
from wandb_repro.keras.variables import grouped
from wandb_repro.store.checkpoint_file import Piece

__all__ = ["assign", "build_optimizer", "built", "check_fits", "described", "root_of"]


def described(model: Any, variables: Sequence[Variable]) -> dict[str, Any]:
    """Return what a model is, as far as its variables fit only into one like it."""
    return {
        "layers": [type(layer).__name__ for layer in model._flatten_layers(include_self=False)],
        "optimizer": _optimizer(model),
        "variables": [
            [one.group, one.label, str(one.value.dtype.name), list(one.value.shape)]
            for one in variables
        ],
    }


def check_fits(told: dict[str, Any], model: Any, variables: Sequence[Variable]) -> None:
    """Compare a model with the one that a checkpoint is of.

    Raises:
        CheckpointError: it is another model.
    """
    here = described(model, variables)
    if told["optimizer"] != here["optimizer"]:
        raise CheckpointError(
            f"its optimizer is {told['optimizer']} and this model's is {here['optimizer']}"
        )
    told = told if _is_built(getattr(model, "optimizer", None)) else _without_optimizer(told)
    here = here if told.get("whole", True) else _without_optimizer(here)
    for saved, mine in zip(told["variables"], here["variables"], strict=False):
        if (saved[0], saved[2], saved[3]) != (mine[0], mine[2], mine[3]):
            raise CheckpointError(
                f"it holds {saved[1]} as {saved[2]}{saved[3]}, and here "
                f"{mine[1]} is {mine[2]}{mine[3]}"
            )
    if len(told["variables"]) != len(here["variables"]):
        raise CheckpointError(
            f"it holds {len(told['variables'])} variables, and this model has "
            f"{len(here['variables'])}"
        )
    if told["layers"] != here["layers"]:
        pairs = zip(told["layers"], here["layers"], strict=False)
        other = next((pair for pair in pairs if pair[0] != pair[1]), ("more", "fewer"))
        raise CheckpointError(f"its layers are others: {other[0]} there, {other[1]} here")


def _optimizer(model: Any) -> str:
    """Return the optimizer with all that decides which variables it has."""
    optimizer: Any = getattr(model, "optimizer", None)
    config: dict[str, object] = optimizer.get_config() if optimizer is not None else {}
    switches = sorted(name for name, value in config.items() if value is True)
    return " ".join([class_of(optimizer).__name__, *switches])


def _without_optimizer(told: dict[str, Any]) -> dict[str, Any]:
    """Return a model without what its optimizer gets when it is built: inside the first step.

    It is not built to be compared: the initial weights would be recorded as others than they are.
    """
    own = [one for one in told["variables"] if one[0] != "optimizer"]
    return {**told, "variables": own, "whole": False}


def _is_built(optimizer: Any) -> bool:
    return optimizer is None or bool(optimizer.built)


def assign(model: Any, pieces: Sequence[Piece]) -> None:
    """Give a model's variables the values of a checkpoint that was checked to fit."""
    for (_, variable), piece in zip(grouped(model), pieces, strict=True):
        variable.assign(array_of(piece))


def root_of(variables: Sequence[Variable]) -> str:
    """Return the digest over variables, as the trail has it."""
    leaves = leaf_digests([one.value for one in variables])
    groups = (one.group for one in variables)
    return root_digest(zip(groups, leaves, strict=True))


def build_optimizer(model: Any) -> None:
    """Give an optimizer its variables, as the first step would."""
    optimizer: Any = getattr(model, "optimizer", None)
    if not _is_built(optimizer):
        optimizer.build(model.trainable_variables)


def built(model: Any, iterator: Any) -> bool:
    """Build a model where ``fit`` would only do so inside its first step.

    Whatever is drawn for it is put back with the generators.
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
