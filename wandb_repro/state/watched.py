"""The state of several models and optimizers of any framework, as one list of variables."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import Any, TypeAlias, cast

from wandb_repro.capture.weights import GROUPS, Variable
from wandb_repro.digest import Array
from wandb_repro.errors import UsageError
from wandb_repro.state import jax_state, keras_state, tensorflow_state, torch_state

Entry: TypeAlias = tuple[str, str, Any]
"""Group, label and a variable of Keras or TensorFlow."""


class Watched:
    """Models, optimizers and other state, read together.

    Args:
        models: Keras models and layers, ``tf.Module``s and ``tf.Variable``s, ``torch.nn.Module``s,
            NNX modules, objects with a ``state_dict``, and pytrees of arrays.
        optimizers: likewise.

    Raises:
        UsageError: one of them is none of these.
    """

    def __init__(self, models: Sequence[object], optimizers: Sequence[object] = ()) -> None:
        self.models = tuple(models)
        self.optimizers = tuple(optimizers)
        for value in self.values:
            _check(value)
        names = _names(self.models) if len(self.models) > 1 else [""] * len(self.models)
        self._named = list(zip(names, self.models, strict=True))
        self._named += [("", value) for value in self.optimizers]
        self._readers = list[Callable[[], list[Variable]]]()
        self._walked = False

    @property
    def values(self) -> tuple[object, ...]:
        """All of them, models first."""
        return (*self.models, *self.optimizers)

    def __bool__(self) -> bool:
        return bool(self._named)

    @property
    def has_arrays(self) -> bool:
        """Whether state was given that is in no variable: a pytree, or an NNX object."""
        return any(
            entries_of(value) is None
            and not torch_state.is_module(value)
            and not torch_state.is_optimizer(value)
            for _, value in self._named
        )

    def is_built(self) -> bool:
        """Whether each model has its variables."""
        return all(_is_built(value) for value in self.models)

    def walk(self) -> None:
        """Search for variables; those that are new since the last time are read from now on."""
        known = set[int]()
        entries = list[Entry]()
        readers: list[Callable[[], list[Variable]]] = []
        torch_names = {
            key: _prefixed(name, label)
            for name, value in self._named
            if torch_state.is_module(value) and not keras_state.owns(value)
            for key, label in torch_state.names_of([value]).items()
        }
        for name, value in self._named:
            found = entries_of(value)
            if found is None:
                readers.append(partial(_labelled, name, _reader(value, torch_names)))
                continue
            for group, label, variable in found:
                if id(variable) not in known:
                    known.add(id(variable))
                    entries.append((group, _prefixed(name, label), variable))
        self._readers = [*_together(entries), *readers]
        self._walked = True

    def read(self, *, anew: bool = True) -> list[Variable]:
        """Return all variables on the host, by group, in the order in which they were given.

        With ``anew``, first search for variables, which takes longer than reading them.
        """
        if anew or not self._walked:
            self.walk()
        found = [variable for read in self._readers for variable in read()]
        return in_order(found)


def in_order(variables: Iterable[Variable]) -> list[Variable]:
    """Return variables by group; the order within a group stays."""
    return sorted(variables, key=lambda variable: _ORDER[variable.group])


_ORDER = {group: place for place, group in enumerate(GROUPS)}


def _check(value: object) -> None:
    known = (
        keras_state.owns(value)
        or torch_state.is_module(value)
        or torch_state.is_optimizer(value)
        or jax_state.state_of_nnx(value) is not None
        or tensorflow_state.owns(value)
        or hasattr(value, "state_dict")
        or jax_state.has_arrays(value)
        or _are_variables(value)
    )
    if not known:
        raise UsageError(
            f"watch cannot read a {type(value).__name__}.",
            hint="Pass models, optimizers, variables, or a pytree of arrays.",
        )


def _are_variables(value: object) -> bool:
    """Tell whether this is a list of variables of Keras or TensorFlow, or of further such lists."""
    if not isinstance(value, (list, tuple)) or not value:
        return False
    return all(entries_of(each) is not None for each in cast("Sequence[object]", value))


def entries_of(value: object) -> list[Entry] | None:
    """Return the variables of what belongs to Keras or TensorFlow; None for anything else."""
    if keras_state.owns(value):
        return keras_state.labelled(value)
    if tensorflow_state.owns(value) and not _is_plain_sequence(value):
        return tensorflow_state.grouped(value)
    if _are_variables(value):
        parts = [entries_of(each) or [] for each in cast("Sequence[object]", value)]
        return [entry for part in parts for entry in part]
    return None


def _is_plain_sequence(value: object) -> bool:
    return isinstance(value, (list, tuple))


def _together(entries: list[Entry]) -> list[Callable[[], list[Variable]]]:
    """Return what reads the variables of Keras, and what reads those of TensorFlow."""
    ours: list[list[Entry]] = [[], []]
    for entry in entries:
        ours[keras_state.owns(entry[2])].append(entry)
    plain, keras = ours
    readers: list[Callable[[], list[Variable]]] = []
    if keras:
        read = keras_state.reading([variable for *_, variable in keras])
        readers.append(partial(_variables, keras, read))
    if plain:
        read = tensorflow_state.reading([variable for *_, variable in plain])
        readers.append(partial(_variables, plain, read))
    return readers


def _variables(entries: list[Entry], read: Callable[[], list[Array]]) -> list[Variable]:
    values = read()
    return [
        Variable(group, label, value)
        for (group, label, _), value in zip(entries, values, strict=True)
    ]


def _reader(value: object, torch_names: dict[int, str]) -> Callable[[], list[Variable]]:
    """Return what reads an object that belongs to neither Keras nor TensorFlow."""
    if torch_state.is_module(value):
        return partial(torch_state.read_module, value)
    if torch_state.is_optimizer(value):
        return partial(torch_state.read_optimizer, value, torch_names)
    state_of = jax_state.state_of_nnx(value)
    if state_of is not None:
        reader = jax_state.PytreeReader()
        return lambda: reader.read(state_of())
    if hasattr(value, "state_dict"):
        kind = type(value).__name__
        return lambda: torch_state.read_state_dict(cast("Any", value).state_dict(), kind)
    return partial(jax_state.PytreeReader().read, value)


def _labelled(name: str, read: Callable[[], list[Variable]]) -> list[Variable]:
    found = read()
    return [one._replace(label=_prefixed(name, one.label)) for one in found] if name else found


def _prefixed(name: str, label: str) -> str:
    if not name or label.startswith(f"{name}/"):
        return label
    return f"{name}{label}" if label.startswith("[") else f"{name}/{label}"


def _names(models: Sequence[object]) -> list[str]:
    """Return a name for each model: its own or its type's, with a number if it is not the first."""
    seen = Counter[str]()
    names: list[str] = []
    for model in models:
        own = getattr(model, "name", None)
        name = own if isinstance(own, str) and own else type(model).__name__
        seen[name] += 1
        names.append(f"{name} {seen[name]}" if seen[name] > 1 else name)
    return names


def _is_built(value: object) -> bool:
    if keras_state.owns(value):
        return keras_state.is_built(value)
    if torch_state.is_module(value):
        return torch_state.is_built(value)
    tensorflow: Any = sys.modules.get("tensorflow")
    if hasattr(tensorflow, "Module") and isinstance(value, tensorflow.Module):
        return bool(cast("Any", value).variables)
    return True
