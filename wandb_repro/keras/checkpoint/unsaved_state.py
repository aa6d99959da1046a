"""What a checkpoint cannot hold of this training: found, with the line of code and the cure.

Finds state that nobody named: what an object's attributes were, and what they became.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple, cast

from wandb_repro.digest import Array, leaf_digest
from wandb_repro.keras.checkpoint.callback_state import SAVED, names_of_state
from wandb_repro.keras.checkpoint.graph_ops import Found, in_pipeline, in_step
from wandb_repro.keras.checkpoint.serialize import Pieces, Unsaveable, class_of, is_saveable, packed
from wandb_repro.keras.checkpoint.unregistered_rngs import held_by, place_of

__all__ = ["Unsaved", "Watch", "unsaved_of_fit", "unsaved_of_step", "unsaved_of_watches"]


class Unsaved(NamedTuple):
    """Something that a resumed training would do otherwise than one that never stopped."""

    what: str
    where: str
    """File and line; empty where none is known."""
    cure: str

    def __str__(self) -> str:
        where = f" ({self.where})" if self.where else ""
        return f"{self.what}{where}; {self.cure}"


_REGISTER = "pass it to wandb_repro.register(...)"


def unsaved_of_fit(fit: Mapping[str, Any], callbacks: Iterable[Any]) -> list[Unsaved]:
    """Return what can be seen before the first step."""
    adapter = getattr(fit.get("epoch_iterator"), "data_adapter", None)
    found = [
        *_of_data(fit.get("x"), "the training data", of_user=_is_pipeline(adapter)),
        *_of_data(fit.get("val_x"), "the validation data", of_user=True),
        *_of_validation(fit),
        *_of_model(fit.get("self")),
    ]
    for callback in callbacks:
        found += _held(callback, type(callback).__name__)
        if type(callback).__name__ == "BackupAndRestore":
            found.append(
                Unsaved(
                    "BackupAndRestore goes on with another state", "", "remove it from callbacks"
                )
            )
    return list(dict.fromkeys(found))


def _is_pipeline(adapter: object) -> bool:
    return type(adapter).__name__ == "TFDatasetAdapter"


def _of_data(data: Any, name: str, *, of_user: bool) -> Iterator[Unsaved]:
    if hasattr(data, "element_spec") and hasattr(data, "_inputs") and of_user:
        for found in in_pipeline(data):
            yield from _of_pipeline(found, name)
    elif data is not None and not hasattr(data, "dtype"):
        yield from _held(data, type(data).__name__)
        if getattr(data, "workers", 1) > 1:
            yield from _of_workers(data)


def _of_pipeline(found: Found, name: str) -> Iterator[Unsaved]:
    if found.kind == "random":
        yield Unsaved(
            f"{found.operation} inside the pipeline of {name} keeps a state that nothing can read",
            found.where,
            "draw with tf.random.stateless_... and seeds from tf.data.Dataset.random(seed=..., "
            "rerandomize_each_iteration=True)",
        )
    elif found.kind == "writes":
        yield Unsaved(
            f"the pipeline of {name} changes a variable, as Keras' random layers do, which "
            "belongs to no model",
            found.where,
            "put the layer into the model, or use stateless operations in the pipeline",
        )
    elif found.function is not None:
        yield from _held(found.function, getattr(found.function, "__name__", "a function"))


def _of_workers(data: Any) -> Iterator[Unsaved]:
    """Threads that share a generator draw from it in any order: named where code can be seen."""
    method = getattr(class_of(data), "__getitem__", None)
    names = set(getattr(getattr(method, "__code__", None), "co_names", ()))
    if names & {"random", "rng", "shuffle", "normal", "uniform", "choice", "permutation"}:
        yield Unsaved(
            f"{data.workers} workers may share a random generator, and draw in any order",
            place_of(method),
            "draw from numpy.random.default_rng((seed, epoch, index)) in __getitem__",
        )


def _of_validation(fit: Mapping[str, Any]) -> Iterator[Unsaved]:
    if fit.get("validation_steps") is not None and hasattr(fit.get("val_x"), "element_spec"):
        yield Unsaved(
            "validation_steps goes on in the validation data from epoch to epoch",
            "",
            "use .take(validation_steps) on it instead",
        )


def _of_model(model: Any) -> Iterator[Unsaved]:
    if model is None:
        return
    kept = {id(variable) for variable in model.variables}
    for layer in (model, *model._flatten_layers(include_self=False)):
        for one in _held_pairs(layer, type(layer).__name__):
            state = getattr(one.generator, "state", None)
            if id(state) not in kept:
                yield Unsaved(f"{one.name} holds a random generator", one.where, _REGISTER)


def _held_pairs(owner: Any, name: str) -> list[Any]:
    module = type(owner).__module__.split(".")[0]
    return [] if module == "keras" else held_by(owner, name)


def _held(owner: object, name: str) -> list[Unsaved]:
    return [
        Unsaved(f"{one.name} holds a random generator", one.where, _REGISTER)
        for one in held_by(owner, name)
    ]


def unsaved_of_step(train_function: Any) -> list[Unsaved]:
    """Return what a compiled training step does; known once a step was made."""
    return [
        Unsaved(
            f"{found.operation} inside the training step keeps a state that nothing can read",
            found.where,
            "draw with keras.random and a keras.random.SeedGenerator that the layer holds",
        )
        for found in in_step(train_function)
    ]


def unsaved_of_watches(watches: Iterable[Watch]) -> list[Unsaved]:
    """Return attributes of callbacks and data that changed, and that nothing says how to keep."""
    found: list[Unsaved] = []
    for watch in watches:
        owner = watch.owner
        known = names_of_state(owner)
        is_data = not hasattr(owner, "set_model")
        for name in watch.changed():
            value = getattr(owner, name, None)
            kept = name in known or (is_data and is_saveable(value))
            if not kept:
                called = f"{type(owner).__name__}.{name}"
                found.append(Unsaved(f"{called} changes", place_of(owner), _cure(name, is_data)))
    return found


def _cure(name: str, is_data: bool) -> str:
    if is_data:
        return "keep there what is plain: numbers, text, lists and arrays of them"
    return f"if it decides anything, name it in the class: {SAVED} = ({name!r},)"


_OF_KERAS = ("model", "_model", "params", "validation_data", SAVED)


class Watch:
    """What an object's attributes were when this was made.

    Args:
        owner: any object.
        leave: names of attributes that are somebody else's matter.
    """

    def __init__(self, owner: object, leave: Iterable[str] = ()) -> None:
        self.owner = owner
        self._leave = {*leave, *_OF_KERAS}
        self._before = self._look()

    def changed(self) -> tuple[str, ...]:
        """Return the names of attributes that are not as they were."""
        now = self._look()
        names = dict.fromkeys((*now, *self._before))
        return tuple(n for n in names if now.get(n, _ABSENT) != self._before.get(n, _ABSENT))

    def _look(self) -> dict[str, object]:
        told = cast("dict[str, object]", getattr(self.owner, "__dict__", {}))
        return {name: _told(one) for name, one in told.items() if name not in self._leave}


_ABSENT = object()


class _Digests(Pieces):
    """Keeps no array: a training's data may be an attribute."""

    def add(self, array: Any) -> int:
        self.digests.append(leaf_digest(cast("Array", array)))
        return len(self.digests) - 1

    def __init__(self) -> None:
        super().__init__()
        self.digests: list[str] = []


def _told(value: object) -> object:
    """Return what tells a value from another one; its type where nothing more can be told."""
    found = _Digests()
    try:
        return repr(packed(value, found)), found.digests
    except Unsaveable:
        return type(value)
