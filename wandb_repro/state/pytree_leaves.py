"""Takes a pytree apart for a checkpoint, and makes it again with the checkpoint's values."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, cast

from wandb_repro.errors import CheckpointError
from wandb_repro.state import jax_state, torch_state
from wandb_repro.state.packing import Pieces, Unsaveable, pack, unpack
from wandb_repro.store.checkpoint_file import Piece


def save_leaves(tree: object, pieces: Pieces) -> list[Any]:
    """Return the leaves of a pytree as JSON, in JAX's order; arrays go to ``pieces``.

    Raises:
        Unsaveable: a leaf is neither an array nor a plain value.
    """
    return [pack(_plain(leaf), pieces) for leaf in _flattened(tree)[0]]


def restored_tree(tree: object, saved: Sequence[Any], pieces: Sequence[Piece]) -> Any:
    """Return a pytree like ``tree``, with the leaves that ``save_leaves`` returned.

    Each leaf has the type, dtype, shape and device of the leaf in ``tree``.

    Raises:
        CheckpointError: the leaves do not fit into ``tree``.
    """
    leaves, structure = _flattened(tree)
    if len(leaves) != len(saved):
        raise CheckpointError(f"it holds {len(saved)} leaves, and this state has {len(leaves)}")
    values = [unpack(each, pieces) for each in saved]
    made = [_like(leaf, value) for leaf, value in zip(leaves, values, strict=True)]
    return cast("Any", sys.modules["jax"]).tree_util.tree_unflatten(structure, made)


def _flattened(tree: object) -> tuple[list[Any], Any]:
    jax: Any = sys.modules.get("jax")
    if not hasattr(jax, "tree_util"):
        raise Unsaveable("a state that is passed to watch.step is saved only with JAX")
    return jax.tree_util.tree_flatten(tree)


def _plain(leaf: Any) -> Any:
    return cast("Any", sys.modules["jax"]).random.key_data(leaf) if _is_key(leaf) else leaf


def _is_key(leaf: Any) -> bool:
    jax: Any = sys.modules["jax"]
    return jax_state.is_array(leaf) and jax.dtypes.issubdtype(leaf.dtype, jax.dtypes.prng_key)


def _like(leaf: Any, value: Any) -> Any:
    """Return a value as what ``leaf`` is."""
    jax: Any = sys.modules["jax"]
    if _is_key(leaf):
        return jax.random.wrap_key_data(jax.numpy.asarray(value), impl=jax.random.key_impl(leaf))
    if not hasattr(leaf, "dtype"):
        return value
    shape, here = tuple(getattr(value, "shape", ())), tuple(leaf.shape)
    if shape != here:
        raise CheckpointError(f"it holds an array of shape {list(shape)}, and here is {list(here)}")
    if torch_state.is_tensor(leaf):
        return torch_state.like(leaf, value)
    if jax_state.is_array(leaf):
        return jax.device_put(jax.numpy.asarray(value, leaf.dtype), leaf.sharding)
    return sys.modules["numpy"].asarray(value, leaf.dtype)
