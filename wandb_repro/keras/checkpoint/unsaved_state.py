"""Finds state of a training that a checkpoint cannot save, with its line of code and the fix."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, cast

from wandb_repro.digest import Array, leaf_digest
from wandb_repro.keras.checkpoint.callback_state import SAVED, names_of_state
from wandb_repro.keras.checkpoint.graph_ops import Found, in_pipeline, in_step
from wandb_repro.keras.checkpoint.unregistered_rngs import place_of, unregistered_rngs
from wandb_repro.recording.checkpoint_process import Unsaved
from wandb_repro.state.packing import Pieces, Unsaveable, class_of, is_saveable, pack

_REGISTER = "pass it to wandb_repro.register(...)"


def unsaved_of_fit(fit: Mapping[str, Any], callbacks: Iterable[Any]) -> list[Unsaved]:
    """Return what can be found before the first step, in the local variables of ``fit``."""
    adapter = getattr(fit.get("epoch_iterator"), "data_adapter", None)
    found = [
        *_of_data(fit.get("x"), "the training data", of_user=_is_pipeline(adapter)),
        *_of_data(fit.get("val_x"), "the validation data", of_user=True),
        *_of_validation(fit),
        *_of_model(fit.get("self")),
    ]
    for callback in callbacks:
        found += _unregistered(callback, type(callback).__name__)
        if type(callback).__name__ == "BackupAndRestore":
            found.append(
                Unsaved("BackupAndRestore restores another state", "", "remove it from callbacks")
            )
    return list(dict.fromkeys(found))


def _is_pipeline(adapter: object) -> bool:
    return type(adapter).__name__ == "TFDatasetAdapter"


def _of_data(data: Any, name: str, *, of_user: bool) -> Iterator[Unsaved]:
    if hasattr(data, "element_spec") and hasattr(data, "_inputs") and of_user:
        for found in in_pipeline(data):
            yield from _of_pipeline(found, name)
    elif data is not None and not hasattr(data, "dtype"):
        yield from _unregistered(data, type(data).__name__)
        if getattr(data, "workers", 1) > 1:
            yield from _of_workers(data)


def _of_pipeline(found: Found, name: str) -> Iterator[Unsaved]:
    if found.kind == "random":
        yield Unsaved(
            f"{found.operation} inside the pipeline of {name} has a state that nothing can read",
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
        yield from _unregistered(found.function, getattr(found.function, "__name__", "a function"))


def _of_workers(data: Any) -> Iterator[Unsaved]:
    """Yield a warning if the names in ``__getitem__`` suggest that threads share a generator."""
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
            "with validation_steps, each epoch continues in the validation data after the last",
            "",
            "use .take(validation_steps) on it instead",
        )


def _of_model(model: Any) -> Iterator[Unsaved]:
    if model is None:
        return
    saved = {id(variable) for variable in model.variables}
    for layer in (model, *model._flatten_layers(include_self=False)):
        if type(layer).__module__.split(".")[0] == "keras":
            continue
        for rng in unregistered_rngs(layer, type(layer).__name__):
            state = getattr(rng.generator, "state", None)
            if id(state) not in saved:
                yield Unsaved(f"{rng.name} holds a random generator", rng.where, _REGISTER)


def _unregistered(owner: object, name: str) -> list[Unsaved]:
    return [
        Unsaved(f"{rng.name} holds a random generator", rng.where, _REGISTER)
        for rng in unregistered_rngs(owner, name)
    ]


def unsaved_of_step(train_function: Any) -> list[Unsaved]:
    """Return what is in the compiled training step, which exists after the first step."""
    return [
        Unsaved(
            f"{found.operation} inside the training step has a state that nothing can read",
            found.where,
            "draw with keras.random and a keras.random.SeedGenerator that the layer holds",
        )
        for found in in_step(train_function)
    ]


def unsaved_of_watches(watches: Iterable[AttributeWatch]) -> list[Unsaved]:
    """Return attributes of callbacks and data that changed and that no checkpoint saves."""
    found: list[Unsaved] = []
    for watch in watches:
        owner = watch.owner
        known = names_of_state(owner)
        is_data = not hasattr(owner, "set_model")
        for name in watch.changed():
            value = getattr(owner, name, None)
            saved = name in known or (is_data and is_saveable(value))
            if not saved:
                label = f"{type(owner).__name__}.{name}"
                found.append(Unsaved(f"{label} changes", place_of(owner), _cure(name, is_data)))
    return found


def _cure(name: str, is_data: bool) -> str:
    if is_data:
        return "keep plain values there: numbers, text, lists and arrays of them"
    return f"if it decides anything, name it in the class: {SAVED} = ({name!r},)"


_OF_KERAS = ("model", "_model", "params", "validation_data", SAVED)


class AttributeWatch:
    """Finds the attributes of an object that have changed since this was made."""

    def __init__(self, owner: object) -> None:
        self.owner = owner
        self._before = self._marks()

    def changed(self) -> tuple[str, ...]:
        """Return the names of attributes that were changed, added or removed."""
        now, before = self._marks(), self._before
        names = dict.fromkeys((*now, *before))
        return tuple(name for name in names if now.get(name, _ABSENT) != before.get(name, _ABSENT))

    def _marks(self) -> dict[str, object]:
        attributes = cast("dict[str, object]", getattr(self.owner, "__dict__", {}))
        return {
            name: _mark_of(value) for name, value in attributes.items() if name not in _OF_KERAS
        }


_ABSENT = object()


class _Digests(Pieces):
    """Keeps digests instead of arrays: an attribute may be all of the training data."""

    def add(self, array: Any) -> int:
        self.digests.append(leaf_digest(cast("Array", array)))
        return len(self.digests) - 1

    def __init__(self) -> None:
        super().__init__()
        self.digests: list[str] = []


def _mark_of(value: object) -> object:
    """Return a mark that only equal values share; the type of a value that cannot be packed."""
    digests = _Digests()
    try:
        return repr(pack(value, digests)), digests.digests
    except Unsaveable:
        return type(value)
