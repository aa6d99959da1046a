"""Saves models and optimizers of any framework for a checkpoint, and puts their state back."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast

from wandb_repro.errors import CheckpointError
from wandb_repro.state import jax_state, keras_state, tensorflow_state, torch_state
from wandb_repro.state.packing import Pieces, Unsaveable, array_of, class_of, pack, unpack
from wandb_repro.state.pytree_leaves import restored_tree, save_leaves
from wandb_repro.state.watched import entries_of
from wandb_repro.store.checkpoint_file import Piece


def save_values(values: Sequence[object], pieces: Pieces) -> list[dict[str, Any]]:
    """Return the state of each value as JSON that refers to arrays.

    Args:
        values: what ``wandb_repro.watch`` was given: models, optimizers, variables.
        pieces: gets the arrays.

    Raises:
        Unsaveable: the state of one of them cannot be put back.
    """
    found = [_save(value, pieces) for value in values]
    positions = _positions(values)
    for value, state in zip(values, found, strict=True):
        state["trains"] = [
            [positions.get(id(variable), -1) for variable in _trained_by(optimizer)]
            for optimizer in _optimizers(value)
        ]
    return found


def _save(value: Any, pieces: Pieces) -> dict[str, Any]:
    state: dict[str, Any] = {"class": class_of(value).__name__}
    entries = entries_of(value)
    if entries is not None:
        arrays = _reading([variable for *_, variable in entries])
        state["variables"] = [pieces.add(array) for array in arrays]
    elif torch_state.is_module(value):
        tensors = torch_state.tensors_of(value)
        state["tensors"] = [pieces.add(torch_state.on_host(tensor)) for _, tensor in tensors]
    elif jax_state.state_of_nnx(value) is not None:
        state["leaves"] = save_leaves(jax_state.graph_state_of(value), pieces)
    elif hasattr(value, "load_state_dict"):
        state["state_dict"] = pack(_plain_dicts(value.state_dict()), pieces)
    else:
        raise Unsaveable(
            f"a {class_of(value).__name__} that cannot be changed; pass it to watch.step and take "
            "it from watch.restore"
        )
    return state


def check_values(values: Sequence[object], saved: Sequence[Any], pieces: Sequence[Piece]) -> None:
    """Check that values can take a checkpoint's state; optimizers are built for it.

    Raises:
        CheckpointError: they are others than those that were saved.
    """
    classes = [class_of(value).__name__ for value in values]
    there = [state["class"] for state in saved]
    if classes != there:
        raise CheckpointError(
            f"it was saved of {', '.join(there) or 'nothing'}, and this loop watches "
            f"{', '.join(classes) or 'nothing'}"
        )
    for value, state in zip(values, saved, strict=True):
        _build(value, state, values)
        _check_shapes(_variables(value), state, pieces)


def _check_shapes(variables: list[Any], state: dict[str, Any], pieces: Sequence[Piece]) -> None:
    if not state.keys() & {"variables", "tensors"}:
        return
    here = [tuple(variable.shape) for variable in variables]
    there = [piece.shape for piece in _pieces_of(state, pieces)]
    if len(here) != len(there):
        raise CheckpointError(
            f"the {state['class']} had {len(there)} variables and has {len(here)} here"
        )
    for shape, saved in zip(here, there, strict=True):
        if shape != saved:
            raise CheckpointError(
                f"a variable of the {state['class']} had shape {list(saved)} and has "
                f"{list(shape)} here"
            )


def _pieces_of(state: dict[str, Any], pieces: Sequence[Piece]) -> list[Piece]:
    """Return the arrays of a value's variables, in their order."""
    numbers: list[int] = state.get("variables", state.get("tensors", []))
    return [pieces[number] for number in numbers]


def restore_values(values: Sequence[object], saved: Sequence[Any], pieces: Sequence[Piece]) -> None:
    """Put saved state back; call ``check_values`` before.

    Raises:
        CheckpointError: the state is not of these values.
    """
    for value, state in zip(values, saved, strict=True):
        if "variables" in state:
            for variable, piece in zip(_variables(value), _pieces_of(state, pieces), strict=True):
                variable.assign(array_of(piece))
        elif "tensors" in state:
            for tensor, piece in zip(_variables(value), _pieces_of(state, pieces), strict=True):
                torch_state.copy_into(tensor, array_of(piece))
        elif "leaves" in state:
            state_here = jax_state.graph_state_of(value)
            jax_state.update(value, restored_tree(state_here, state["leaves"], pieces))
        else:
            cast("Any", value).load_state_dict(_with_tensors(unpack(state["state_dict"], pieces)))


def _variables(value: object) -> list[Any]:
    entries = entries_of(value)
    if entries is not None:
        return [variable for *_, variable in entries]
    if torch_state.is_module(value):
        return [tensor for _, tensor in torch_state.tensors_of(value)]
    return []


def _reading(variables: list[Any]) -> list[Any]:
    """Return the values of variables of Keras and of TensorFlow, in their order."""
    keras = [keras_state.owns(variable) for variable in variables]
    ours = [variable for variable, is_keras in zip(variables, keras, strict=True) if is_keras]
    others = [variable for variable, is_keras in zip(variables, keras, strict=True) if not is_keras]
    of_keras = iter(keras_state.reading(ours)() if ours else ())
    of_others = iter(tensorflow_state.reading(others)() if others else ())
    return [next(of_keras if is_keras else of_others) for is_keras in keras]


def _is_keras_optimizer(value: object) -> bool:
    keras: Any = sys.modules.get("keras")
    return hasattr(keras, "optimizers") and isinstance(value, keras.optimizers.Optimizer)


def _positions(values: Sequence[object]) -> dict[int, int]:
    """Return the position of each variable that may be trained, by id."""
    return {id(variable): position for position, variable in enumerate(_trainable(values))}


def _trainable(values: Sequence[object]) -> list[Any]:
    """Return the variables of Keras and TensorFlow that an optimizer may train, in their order."""
    entries = [entry for value in values for entry in entries_of(value) or ()]
    # Those of optimizers are made by the first step, and would move all that follow.
    return [variable for group, _, variable in entries if group == "trainable"]


def _optimizers(value: object) -> list[Any]:
    """Return the optimizers of Keras that a value is or has."""
    if _is_keras_optimizer(value):
        return [value]
    is_model = keras_state.owns(value) and hasattr(value, "weights")
    return keras_state.optimizers_of(value) if is_model else []


def _trained_by(optimizer: Any) -> Sequence[Any]:
    return getattr(optimizer, "_trainable_variables", ())


def _build(value: Any, state: dict[str, Any], values: Sequence[object]) -> None:
    """Give optimizers of Keras the variables that their first step would have made."""
    variables = _trainable(values)
    for optimizer, positions in zip(_optimizers(value), state["trains"], strict=False):
        if optimizer.built or not positions:
            continue
        if min(positions) < 0 or max(positions) >= len(variables):
            raise CheckpointError(
                f"the {class_of(optimizer).__name__} trains variables of a model that the loop "
                "does not watch"
            )
        optimizer.build([variables[position] for position in positions])


def _plain_dicts(value: Any) -> Any:
    """Return an ``OrderedDict`` and its like as a plain dict; modules of PyTorch return those."""
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {key: _plain_dicts(item) for key, item in items}
    if class_of(value) is list:
        return [_plain_dicts(item) for item in value]
    return value


def _with_tensors(value: Any) -> Any:
    """Return a value whose arrays are tensors of PyTorch again."""
    if isinstance(value, dict):
        items = cast("dict[Any, Any]", value).items()
        return {key: _with_tensors(item) for key, item in items}
    if isinstance(value, (list, tuple)):
        made = [_with_tensors(item) for item in cast("Sequence[Any]", value)]
        return made if isinstance(value, list) else tuple(made)
    return torch_state.as_tensor(value) if hasattr(value, "dtype") else value
