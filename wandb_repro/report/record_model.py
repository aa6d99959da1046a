"""Rows about a model and its training."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import cast

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.training import Config, FitSettings
from wandb_repro.report.text import count
from wandb_repro.verify.keras_config import config_text


def model_rows(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """Yield what each fit trained and how."""
    fits = manifest.description.fits
    if "fits" not in manifest.description.model_fields_set:
        return  # recorded by a version that did not record models
    if isinstance(fits, Unavailable):
        yield "model", f"not recorded: {fits}"
        return
    for settings in fits:
        if len(fits) > 1:
            yield "fit", str(settings.fit)
        yield from _rows(settings)


def _rows(settings: FitSettings) -> Iterator[tuple[str, str]]:
    yield "layers", _architecture(settings.architecture)
    yield "optimizer", _config(settings.optimizer)
    yield from _each(settings.loss, "loss")
    yield from _each(settings.metrics, "metrics")
    yield "precision", f"{settings.dtype_policy}, jit_compile={settings.jit_compile}"
    yield from _each(settings.arguments, "fit", together=True)


def _each(config: Config, name: str, *, together: bool = False) -> Iterator[tuple[str, str]]:
    if isinstance(config, Unavailable) or together:
        yield name, _config(config)
        return
    for key, value in config.items():
        if value is not None:
            yield key, _value(value)


def _config(config: Config) -> str:
    if isinstance(config, Unavailable):
        return f"not recorded: {config}"
    return config_text(cast("JSON", config)).strip("()" if "class_name" not in config else "")


def _value(value: JSON) -> str:
    if isinstance(value, dict) and set(value) == {"unavailable"}:
        return f"not recorded: {value['unavailable']}"
    return config_text(value)


def _architecture(config: Config) -> str:
    if isinstance(config, Unavailable):
        return f"not recorded: {config}"
    kinds = Counter(_kinds(cast("JSON", config)))
    listed = ", ".join(f"{number} {kind}" for kind, number in kinds.items())
    missing = [str(why) for why in _lost(cast("JSON", config))]
    layers = f"{config.get('class_name')}, {count(sum(kinds.values()), 'layer')}: {listed}"
    return f"{layers}; partly not recorded: {'; '.join(missing[:3])}" if missing else layers


def _kinds(model: JSON) -> Iterator[str]:
    config = model.get("config") if isinstance(model, dict) else None
    layers = config.get("layers") if isinstance(config, dict) else None
    for layer in layers if isinstance(layers, list) else ():
        if isinstance(layer, dict):
            inner = list(_kinds(layer))
            yield from inner or [str(layer.get("class_name"))]


def _lost(value: JSON) -> Iterator[JSON]:
    if isinstance(value, dict):
        if "unavailable" in value:
            yield value["unavailable"]
        for item in value.values():
            yield from _lost(item)
    elif isinstance(value, list):
        for item in value:
            yield from _lost(item)
