"""Reads the arrays in any pytree, such as JAX's, and the state of Flax's NNX objects."""

from __future__ import annotations

import contextlib
import sys
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, cast

from wandb_repro.capture.weights import Variable
from wandb_repro.digest import Array
from wandb_repro.state import torch_state

GROUP = "state"


class PytreeReader:
    """Reads pytrees that mostly have one structure, whose labels are made once."""

    def __init__(self) -> None:
        self._structure: object = None
        self._labels = list[str]()

    def read(self, tree: object) -> list[Variable]:
        """Return the leaves of a pytree that are arrays or numbers, on the host, in its order.

        Labels are JAX's key paths, such as ``[0]['dense']['kernel']``. Without JAX, dicts, lists
        and tuples are searched.

        Raises:
            RuntimeError: an array was donated to a computation, or is on another host.
        """
        jax: Any = sys.modules.get("jax")
        if not hasattr(jax, "tree_util"):
            found = [(label, leaf) for label, leaf in _walk("", tree) if _is_array(leaf)]
            return [Variable(GROUP, label, _on_host(leaf)) for label, leaf in found]
        leaves, structure = jax.tree_util.tree_flatten(tree)
        if self._structure is None or structure != self._structure:
            paths, _ = jax.tree_util.tree_flatten_with_path(tree)
            self._labels = [str(jax.tree_util.keystr(path)) or "state" for path, _ in paths]
            self._structure = structure
        entries = [
            (label, _without_key(jax, leaf))
            for label, leaf in zip(self._labels, leaves, strict=True)
            if _is_array(leaf)
        ]
        # One call, so that all copies from a device run at once.
        values = jax.device_get([leaf for _, leaf in entries])
        return [
            Variable(GROUP, label, _on_host(value))
            for (label, _), value in zip(entries, values, strict=True)
        ]


def _without_key(jax: Any, leaf: Any) -> Any:
    """Return the numbers of a typed random key; any other leaf as it is."""
    dtype = getattr(leaf, "dtype", None)
    if dtype is not None and jax.dtypes.issubdtype(dtype, jax.dtypes.prng_key):
        return jax.random.key_data(leaf)
    return leaf


def read_pytree(tree: object) -> list[Variable]:
    """Return the leaves of one pytree; see ``PytreeReader.read``."""
    return PytreeReader().read(tree)


def _walk(label: str, value: object) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping):
        for key, item in _sorted(cast("Mapping[Any, object]", value)):
            yield from _walk(f"{label}[{key!r}]", item)
    elif isinstance(value, (list, tuple)):
        for index, item in enumerate(cast("Sequence[object]", value)):
            yield from _walk(f"{label}[{index}]", item)
    elif value is not None:
        yield label or "state", value


def _sorted(values: Mapping[Any, object]) -> list[tuple[Any, object]]:
    """Return the items as JAX would: a state has one order, whether JAX is imported or not."""
    items = list(values.items())
    with contextlib.suppress(
        TypeError
    ):  # keys of several types have no order, and JAX refuses them
        return items if isinstance(values, OrderedDict) else sorted(items, key=lambda item: item[0])
    return items


def _is_array(leaf: object) -> bool:
    if isinstance(leaf, (bool, int, float, complex)):
        return True
    return hasattr(leaf, "dtype") and hasattr(leaf, "shape")


def _on_host(leaf: Any) -> Array:
    if torch_state.is_tensor(leaf):
        return torch_state.on_host(leaf)
    numpy: Any = sys.modules["numpy"]
    return cast("Array", numpy.asarray(leaf))


def is_array(value: object) -> bool:
    """Tell whether this is an array of JAX."""
    jax: Any = sys.modules.get("jax")
    return hasattr(jax, "Array") and isinstance(value, jax.Array)


def has_arrays(tree: object) -> bool:
    """Tell whether a pytree has at least one array."""
    jax: Any = sys.modules.get("jax")
    if hasattr(jax, "tree_util"):
        leaves: list[Any] = jax.tree_util.tree_leaves(tree)
    else:
        leaves = [leaf for _, leaf in _walk("", tree)]
    return any(hasattr(leaf, "dtype") and hasattr(leaf, "shape") for leaf in leaves)


def state_of_nnx(value: object) -> Callable[[], object] | None:
    """Return a function that gives the state of a Flax NNX object as a pytree; None for others."""
    nnx = _nnx()
    if nnx is None or not isinstance(value, (nnx.Module, getattr(nnx, "Optimizer", nnx.Module))):
        return None
    return lambda: nnx.to_pure_dict(nnx.state(value))


def graph_state_of(value: object) -> Any:
    """Return the state of a Flax NNX object as it is, for ``update``."""
    return _nnx().state(value)


def update(value: object, state: object) -> None:
    """Give a Flax NNX object this state, in place."""
    _nnx().update(value, state)


def _nnx() -> Any:
    return getattr(sys.modules.get("flax"), "nnx", None) or sys.modules.get("flax.nnx")


def is_traced(value: object) -> bool:
    """Tell whether this is a value inside a function that JAX is tracing."""
    jax: Any = sys.modules.get("jax")
    tracer = getattr(getattr(jax, "core", None), "Tracer", None)
    return tracer is not None and isinstance(value, tracer)


def first_leaf(tree: object) -> object:
    """Return the first leaf of a pytree; None without JAX or without leaves."""
    jax: Any = sys.modules.get("jax")
    if tree is None or not hasattr(jax, "tree_util"):
        return None
    return next(iter(jax.tree_util.tree_leaves(tree)), None)
