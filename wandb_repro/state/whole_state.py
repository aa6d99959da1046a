"""Reads all state that a process made: models, optimizers, loose variables, lookup tables."""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.weights import Variable
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.trail_records import Trainable
from wandb_repro.state import keras_state, tensorflow_state, torch_state
from wandb_repro.state.registry import Entry, Known, Registry
from wandb_repro.state.thread_order import ThreadPlace

FOREIGN_ERRORS = (RuntimeError, ValueError, TypeError)
"""What frameworks raise for a variable that was deleted, donated, or is on another machine."""


@dataclass
class WholeState:
    """The state of everything that is known, at one moment."""

    variables: list[Variable] = field(default_factory=list[Variable])
    """Labels begin with the owner: ``model 2: sequential_1/dense/kernel``."""
    things: list[Trainable] = field(default_factory=list[Trainable])


def read_whole_state(
    registry: Registry, made_by: Collection[ThreadPlace] | None = None
) -> WholeState:
    """Read everything that still exists. What cannot be read is named and left out.

    Each variable is read once, for the first of its owners in this order: models, optimizers,
    PyTorch's modules, then variables that belong to none of these.

    Args:
        registry: what the process made.
        made_by: reads only what these threads made: others may be changing theirs. None reads
            everything, and takes note of what is gone.
    """
    registry.search()
    reading = _Reading(registry)
    modules = _top_modules(registry.alive("module"))
    models = registry.alive("model")
    reading.leave_to_modules((*models, *modules))
    owners = (*models, *registry.alive("optimizer"), *modules)
    for known in _only(owners, made_by):
        reading.read(known)
    reading.leave_out(registry.alive("metric"), "a metric")
    if made_by is not None:
        reading.leave_out(_without(owners, made_by), "what another thread made")
    reading.leave_out_steps(registry.steps_of_gone())
    reading.read_loose(_only(registry.alive("variable"), made_by))
    for known in _only(registry.alive("table"), made_by):
        reading.read(known)
    for entry in registry.take_gone() if made_by is None else ():
        reading.note_gone(entry)
    return reading.state


def _only(things: Iterable[Known], made_by: Collection[ThreadPlace] | None) -> list[Known]:
    return [known for known in things if made_by is None or known.entry.place in made_by]


def _without(things: Iterable[Known], made_by: Collection[ThreadPlace]) -> list[Known]:
    return [known for known in things if known.entry.place not in made_by]


def note_digested(registry: Registry, optimizers: Iterable[object]) -> None:
    """Note that the state of these optimizers was digested elsewhere, as at the end of a fit."""
    for optimizer in optimizers:
        entry = registry.entry_of("optimizer", optimizer)
        if entry is not None:
            entry.steps_digested = _steps_of(entry) or 0


class _Reading:
    def __init__(self, registry: Registry) -> None:
        self.state = WholeState()
        self._registry = registry
        self._seen = set[int]()

    def read(self, known: Known) -> None:
        """Read a model, an optimizer, a module or a table."""
        if _is_half_made(known.thing):
            return
        name = str(getattr(known.thing, "name", "") or type(known.thing).__name__)
        found = guarded(lambda: self._new_variables(known), "its state", expects=FOREIGN_ERRORS)
        steps = _steps_of(known.entry)
        if isinstance(found, Unavailable):
            self._add(known, name, steps=steps, missing=str(found))
            return
        if found or steps:
            self.state.variables += [
                Variable(group, f"{known.owner}: {label}", value) for group, label, value in found
            ]
            self._add(known, name, len(found), steps=steps)
        known.entry.steps_digested = steps or 0

    def _new_variables(self, known: Known) -> list[Variable]:
        """Return the variables that no earlier owner has."""
        if known.kind == "table":
            return [_table(known.thing)]
        return list(_READERS[known.kind](known.thing, self._seen))

    def leave_to_modules(self, owners: Iterable[Known]) -> None:
        """Leave PyTorch's parameters to the modules that have them, where an optimizer has too."""
        modules = [known.thing for known in owners if torch_state.is_module(known.thing)]
        self._seen.update(torch_state.names_of(modules))

    def leave_out(self, things: list[Known], what: str) -> None:
        """Leave out the variables of metrics, whose values are in the losses, and of others."""
        for known in things:
            variables = guarded(
                lambda known=known: list(getattr(known.thing, "variables", ())),
                what,
                expects=FOREIGN_ERRORS,
            )
            if not isinstance(variables, Unavailable):
                self._seen.update(id(_inner(variable)) for variable in variables)

    def leave_out_steps(self, variables: Iterable[Any]) -> None:
        """Leave out counters of optimizers that no longer exist: only this package holds them."""
        self._seen.update(id(_inner(variable)) for variable in variables)

    def read_loose(self, loose: list[Known]) -> None:
        """Read variables that belong to nothing else."""
        own = [known for known in loose if id(known.thing) not in self._seen]
        if not own:
            return
        read = tensorflow_state.reading([known.thing for known in own])
        values = guarded(read, "variables", expects=FOREIGN_ERRORS)
        first, name = own[0].entry, "that no model tracks"
        if isinstance(values, Unavailable):
            self._note("variables", first, name, missing=str(values))
            return
        for known, value in zip(own, values, strict=True):
            label = f"{known.owner}: {known.thing.name}"
            group = "trainable" if known.thing.trainable else "non_trainable"
            self.state.variables.append(Variable(group, label, value))
        self._note("variables", first, name, len(own))

    def note_gone(self, entry: Entry) -> None:
        """Name an optimizer that was collected after steps that no digest covers."""
        steps = _steps_of(entry)
        if steps is not None and steps > entry.steps_digested:
            why = (
                f"it was deleted after {steps - entry.steps_digested} steps without a digest; "
                "use wandb_repro.watch in its loop"
            )
            self._note("optimizer", entry, "that no longer exists", steps=steps, missing=why)

    def _add(self, known: Known, name: str, variables: int = 0, **about: Any) -> None:
        kind = "tables" if known.kind == "table" else known.kind
        self._note(kind, known.entry, name, variables, **about)

    def _note(
        self,
        kind: Any,
        entry: Entry,
        name: str,
        variables: int = 0,
        *,
        steps: int | None = None,
        missing: str = "",
    ) -> None:
        thing = Trainable(
            number=entry.number,
            kind=kind,
            name=name,
            variables=variables,
            steps=steps,
            missing=missing,
        )
        if thread := str(entry.place):
            thing = thing.model_copy(update={"thread": thread})
        self.state.things.append(thing)


def _is_half_made(thing: object) -> bool:
    """Tell whether a constructor failed before Keras' own ran: such a thing never trained."""
    return keras_state.owns(thing) and not hasattr(thing, "built")


def _steps_of(entry: Entry) -> int | None:
    """Return how many steps an optimizer has made; None if it does not count them."""
    if entry.steps is None:
        return None

    def read() -> int:
        value: Any = keras_state.reading([entry.steps])()[0]
        return int(value)

    steps = guarded(read, "steps of an optimizer", expects=FOREIGN_ERRORS)
    return None if isinstance(steps, Unavailable) else steps


def _inner(variable: Any) -> Any:
    """Return TensorFlow's variable inside one of Keras'; on other backends Keras' own."""
    # In a graph that creates variables, TensorFlow uses a subclass of ResourceVariable.
    value = getattr(variable, "value", None)
    return variable if getattr(value, "handle", None) is None else value


def _read_model(model: Any, seen: set[int]) -> Iterator[Variable]:
    yield from _read_new(list(keras_state.grouped(model, optimizers=False)), seen)


def _read_optimizer(optimizer: Any, seen: set[int]) -> Iterator[Variable]:
    if torch_state.is_optimizer(optimizer):
        yield from torch_state.read_parameters(optimizer, without=seen)
        yield from torch_state.read_optimizer(optimizer)
        return
    pairs = [("optimizer", variable) for variable in optimizer.variables]
    yield from _read_new(pairs, seen)


def _read_new(pairs: list[tuple[str, Any]], seen: set[int]) -> Iterator[Variable]:
    new = [(group, variable) for group, variable in pairs if id(_inner(variable)) not in seen]
    values = keras_state.reading([variable for _, variable in new])()
    for (group, variable), value in zip(new, values, strict=True):
        seen.add(id(_inner(variable)))
        yield Variable(group, str(variable.path), value)


def _read_module(module: Any, seen: set[int]) -> Iterator[Variable]:
    del seen
    yield from torch_state.read_module(module)


_READERS: dict[str, Callable[[Any, set[int]], Iterator[Variable]]] = {
    "model": _read_model,
    "optimizer": _read_optimizer,
    "module": _read_module,
}


def _top_modules(modules: list[Known]) -> list[Known]:
    """Return PyTorch's modules that are part of no other, without Keras' layers."""
    keras: Any = sys.modules.get("keras")
    plain = [
        known
        for known in modules
        if keras is None or not isinstance(known.thing, keras.layers.Layer)
    ]
    parts = {
        id(part) for known in plain for part in known.thing.modules() if part is not known.thing
    }
    return [known for known in plain if id(known.thing) not in parts]


def _table(table: Any) -> Variable:
    """Return a lookup table's keys and values, sorted, as one array of bytes."""
    numpy: Any = sys.modules["numpy"]
    keys, values = (tensor.numpy().tolist() for tensor in table.export())
    rows = sorted(repr(row) for row in zip(keys, values, strict=True))
    content = numpy.frombuffer("\n".join(rows).encode(), dtype="uint8")
    return Variable("non_trainable", type(table).__name__, content)
