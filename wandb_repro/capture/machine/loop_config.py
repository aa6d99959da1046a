"""The models and optimizers of a training loop of one's own, as they describe themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, cast

from wandb_repro.capture.guard import fact
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.model_config import architecture_of, config_of, plain, serialized
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.training import Config, FitSettings

_LOOP = Unavailable(unavailable="the script trains in a loop of its own")


@dataclass(frozen=True)
class LoopModels:
    """What a loop trains."""

    models: tuple[object, ...]
    optimizers: tuple[object, ...]
    compiled = False


def probe_loop(host: Host, loop: LoopModels, fit: int) -> FitSettings:
    """Return the architecture of the models and the settings of the optimizers of a loop.

    Of several models each is a layer of one that has their number in its name.
    """
    keras: Any = host.modules.get("keras")
    policies = [model for model in loop.models if hasattr(model, "dtype_policy")]
    return FitSettings(
        fit=fit,
        optimizer=_all(
            "optimizer", loop.optimizers, lambda each: _optimizer(keras, each), "optimizers"
        ),
        loss=_LOOP,
        metrics=_LOOP,
        architecture=_all("architecture", loop.models, lambda each: _model(keras, each), "layers"),
        dtype_policy=fact(str, lambda: cast("Any", policies[0]).dtype_policy.name, "dtype policy")
        if policies
        else Unavailable(unavailable="no model with a dtype policy is watched"),
        jit_compile=_LOOP,
        arguments=_LOOP,
    )


def _all(
    what: str, values: Iterable[object], describe: Callable[[Any], dict[str, JSON]], several: str
) -> Config:
    found = list(values)
    if not found:
        return Unavailable(unavailable=f"{what}: none was given to watch")
    if len(found) == 1:
        return config_of(what, lambda: describe(found[0]))
    described: Callable[[], list[JSON]] = lambda: [describe(value) for value in found]  # noqa: E731
    if several == "layers":
        kind = f"{len(found)} models"
        return config_of(what, lambda: {"class_name": kind, "config": {"layers": described()}})
    return config_of(what, lambda: {several: described()})


def _model(keras: Any, model: Any) -> dict[str, JSON]:
    if keras is not None and isinstance(model, keras.Model):
        return architecture_of(keras, model)
    if keras is not None and isinstance(model, keras.Layer):
        found = serialized(keras, model)
        return found if isinstance(found, dict) else {"value": found}
    return _described(model)


def _described(module: Any) -> dict[str, JSON]:
    """Return the parts of a module of PyTorch with their sizes; of anything else its type."""
    kind = type(module).__name__
    if not hasattr(module, "extra_repr"):
        return {"class_name": kind, "config": {}}
    config: dict[str, JSON] = {"settings": str(module.extra_repr())}
    parts: list[JSON] = [_described(part) for part in module.children()]
    return {"class_name": kind, "config": {**config, **({"layers": parts} if parts else {})}}


def _optimizer(keras: Any, optimizer: Any) -> dict[str, JSON]:
    if keras is not None and isinstance(optimizer, keras.optimizers.Optimizer):
        found = serialized(keras, optimizer)
        return found if isinstance(found, dict) else {"value": found}
    defaults = plain(getattr(optimizer, "defaults", {}))
    return {"class_name": type(optimizer).__name__, "config": defaults}
