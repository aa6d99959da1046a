"""A model's architecture and how it was compiled, as Keras serialises them."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar, cast

from wandb_repro.capture.guard import fact, guarded
from wandb_repro.capture.host import Host
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON, dumps
from wandb_repro.manifest.training import Config, FitSettings

_T = TypeVar("_T")

_LARGEST_ARRAY_BYTES = 1 << 20
"""Limit of a constant in a layer: Keras would write each element as text, which takes seconds."""

_LARGEST_BYTES = 1 << 19
"""Limit of an architecture, as JSON."""

_LONGEST_LIST = 256
"""Limit of a list of plain values, such as a vocabulary; of a longer one the length and the digest
are recorded."""

_ARGUMENTS = (
    *("batch_size", "epochs", "initial_epoch", "steps_per_epoch", "shuffle"),
    *("validation_split", "validation_freq", "validation_steps", "class_weight"),
)
"""Arguments of ``fit`` that are numbers, switches or a few of them."""


def probe_settings(
    host: Host, model: object, arguments: Mapping[str, object], fit: int
) -> FitSettings | Unavailable:
    """Return a model's architecture, how it was compiled, and the arguments of its ``fit``.

    Args:
        host: the process.
        model: the Keras model about to train.
        arguments: local variables of its ``fit``; empty if they were not found.
        fit: number of the ``fit``.
    """
    keras: Any = host.modules.get("keras")
    if keras is None:
        return Unavailable(unavailable="Keras was not imported")
    return guarded(lambda: _settings(keras, cast("Any", model), arguments, fit), "Keras")


def _settings(keras: Any, model: Any, arguments: Mapping[str, object], fit: int) -> FitSettings:
    given = _given(model)
    why = Unavailable(unavailable="the model was not compiled")
    return FitSettings(
        fit=fit,
        optimizer=config_of("optimizer", lambda: _object(serialized(keras, model.optimizer)))
        if given
        else why,
        loss=config_of("loss", lambda: _loss(keras, given)) if given else why,
        metrics=config_of("metrics", lambda: _metrics(keras, given)) if given else why,
        architecture=config_of("architecture", lambda: architecture_of(keras, model)),
        dtype_policy=fact(str, lambda: model.dtype_policy.name, "dtype policy"),
        jit_compile=fact(bool, lambda: model.jit_compile, "jit_compile") if given else why,
        arguments=config_of("arguments of fit", lambda: _arguments(arguments))
        if arguments
        else Unavailable(unavailable="arguments of fit: they were not found"),
    )


def _given(model: Any) -> dict[str, Any]:
    """Return the arguments of ``compile``; empty if it was not called."""
    if not getattr(model, "compiled", False):
        return {}
    config = getattr(getattr(model, "_compile_config", None), "config", None)
    if isinstance(config, dict):
        return cast("dict[str, Any]", config)
    return {"optimizer": model.optimizer, "loss": getattr(model, "loss", None)}


def config_of(what: str, probe: Callable[[], dict[str, JSON]]) -> Config:
    """Return what a probe returns if it fits in the record, or why not."""

    def probed() -> Config:
        found = probe()
        size_bytes = len(dumps(found))
        if size_bytes > _LARGEST_BYTES:
            return Unavailable(unavailable=f"{what}: it has {size_bytes:,} bytes as JSON")
        return found

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about lambdas, which we never load
        # The config is made by the user's own classes, whose code may raise anything.
        return guarded(probed, what, expects=(Exception,))


def _loss(keras: Any, given: Mapping[str, Any]) -> dict[str, JSON]:
    loss = given.get("loss")
    if isinstance(loss, str):
        loss = keras.losses.get(loss)  # "mse" and "mean_squared_error" are one
    return {
        "loss": _part(lambda: serialized(keras, loss)),
        "loss_weights": _part(lambda: serialized(keras, given.get("loss_weights"))),
    }


def _metrics(keras: Any, given: Mapping[str, Any]) -> dict[str, JSON]:
    names = ("metrics", "weighted_metrics")
    return {name: _each(keras, given.get(name)) for name in names}


def _each(keras: Any, several: Any) -> JSON:
    if isinstance(several, (list, tuple)):
        return [_each(keras, metric) for metric in cast("list[Any]", several)]
    return _part(lambda: serialized(keras, several))


def architecture_of(keras: Any, model: Any) -> dict[str, JSON]:
    """Return the model's config; if it does not serialise as a whole, that of each layer."""
    fault = _too_large(model)
    config: Any = fault or guarded(model.get_config, "the model", expects=(Exception,))
    kind = type(model).__name__
    if isinstance(config, dict) and "layers" in config:
        return {"class_name": kind, "config": plain(config)}
    layers: list[JSON] = [_layer(keras, layer) for layer in _layers(model)]
    why = str(config) if isinstance(config, Unavailable) else "it is a model of its own kind"
    known: dict[str, JSON] = {"name": str(model.name), "layers": layers}
    return {"class_name": kind, "config": {**known, "connections": {"unavailable": why}}}


def _layer(keras: Any, layer: Any) -> JSON:
    fault = _too_large(layer)
    head: dict[str, JSON] = {"class_name": type(layer).__name__}
    if fault is not None:
        return {**head, "config": {"name": str(layer.name), **fault.model_dump()}}
    found = _part(lambda: serialized(keras, layer))
    if isinstance(found, dict) and set(found) == {"unavailable"}:
        return {**head, "config": {"name": str(layer.name), **found}}
    return found


def _layers(model: Any) -> Iterable[Any]:
    return cast("Iterable[Any]", getattr(model, "layers", ()))


def _too_large(layer: Any) -> Unavailable | None:
    """Return why a layer is not serialised: Keras would write large constants as text."""
    for inner in _layers(layer):
        if fault := _too_large(inner):
            return fault
    values: list[Any] = list(cast("dict[str, Any]", vars(layer)).values())
    constants = [getattr(value, "value", None) for value in values if hasattr(value, "get_config")]
    for value in (*values, *constants):
        size_bytes = getattr(value, "nbytes", 0) if hasattr(value, "__array_interface__") else 0
        if size_bytes > _LARGEST_ARRAY_BYTES:
            return Unavailable(
                unavailable=f"layer {layer.name} holds a constant of {size_bytes:,} bytes"
            )
    return None


def _arguments(arguments: Mapping[str, object]) -> dict[str, JSON]:
    found = {name: arguments[name] for name in _ARGUMENTS if name in arguments}
    return {name: plain(value) for name, value in found.items()}


def serialized(keras: Any, value: Any) -> JSON:
    """Return an object as Keras serialises it."""
    return plain(keras.saving.serialize_keras_object(value))


def _part(probe: Callable[[], JSON]) -> JSON:
    """Return a part of a config, or an object with the reason why it is missing."""
    found = guarded(probe, "it does not serialise", expects=(Exception,))
    return found.model_dump(mode="json") if isinstance(found, Unavailable) else found


def _object(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {"value": value}


def plain(value: Any) -> JSON:
    """Return Keras' serialised value as JSON, without parts that do not affect any bit."""
    if isinstance(value, Mapping):
        config = cast("Mapping[object, Any]", value)
        if config.get("class_name") == "__lambda__":
            # Its byte code holds the path of its file; the source tree is compared anyway.
            return {"class_name": "__lambda__"}
        return {str(name): plain(item) for name, item in config.items() if not _is_idle(name, item)}
    if isinstance(value, (list, tuple)):
        return _listed([plain(item) for item in cast("list[Any]", value)])
    if value is None or isinstance(value, (bool, str, int)):
        return value
    if isinstance(value, float):
        return value if math.isfinite(value) else str(value)
    if hasattr(value, "tolist"):
        return plain(value.tolist())
    return plain(value.item()) if hasattr(value, "item") else f"a {type(value).__name__}"


_IDLE = ("compile_config", "module")
"""Recorded separately, or the module of a Keras class, which changes between versions."""


def _is_idle(name: object, value: object) -> bool:
    return name in _IDLE or (name in ("registered_name", "build_config") and value is None)


def _listed(values: list[JSON]) -> JSON:
    if len(values) <= _LONGEST_LIST or any(isinstance(value, (dict, list)) for value in values):
        return cast("JSON", values)
    digest = hashlib.sha256(dumps(values)).hexdigest()
    return {"values": len(values), "digest": f"sha256:{digest}"}
