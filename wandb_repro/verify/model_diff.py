"""Compares models and how they were trained: one finding for each setting that differs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.training import FitSettings
from wandb_repro.verify.compare_values import differ, differ_in, recorded
from wandb_repro.verify.finding import Effect, Finding
from wandb_repro.verify.keras_config import config_text, simplify

_MAX_FINDINGS = 12
"""Findings of one fit; the rest are counted in one more."""


def model_settings(original: Manifest, here: Manifest) -> Iterator[Finding]:
    """Yield the differences between the models of two runs and how they were trained."""
    sides = original.description, here.description
    if any("fits" not in side.model_fields_set for side in sides):
        return  # recorded by a version that did not record models
    fits_1, fits_2 = sides[0].fits, sides[1].fits
    yield from recorded("model", "settings of the model", fits_1, fits_2)
    if isinstance(fits_1, Unavailable) or isinstance(fits_2, Unavailable):
        return
    several = len(fits_1) > 1 or len(fits_2) > 1
    for fit_1, fit_2 in zip(fits_1, fits_2, strict=False):
        found = list(_fit_differences(fit_1, fit_2, f" (fit {fit_1.fit})" if several else ""))
        yield from found[:_MAX_FINDINGS]
        if len(found) > _MAX_FINDINGS:
            yield _more(found[_MAX_FINDINGS:])
    fact, cure = (
        "settings of a fit after the first",
        "call compile and fit as often as the original",
    )
    yield from differ("model", fact, len(fits_1), len(fits_2), "may change bits", cure)


def _more(found: list[Finding]) -> Finding:
    names = ", ".join(finding.fact for finding in found[:3])
    sentence = f"{len(found)} more settings of the model differ: {names}"
    return found[0].model_copy(
        update={"fact": "more settings of the model", "sentence": sentence, "cure": _CURE}
    )


_CURE = "build and compile the model as in the original"


def _fit_differences(one: FitSettings, two: FitSettings, fit: str) -> Iterator[Finding]:
    parts: tuple[tuple[str, JSON | Unavailable, JSON | Unavailable, Effect], ...] = (
        ("optimizer", one.optimizer, two.optimizer, "changes bits"),
        ("", one.loss, two.loss, "changes bits"),
        ("fit", one.arguments, two.arguments, "changes bits"),
        ("", one.metrics, two.metrics, "explains"),
    )
    yield from _architectures(one.architecture, two.architecture, fit)
    for owner, config_1, config_2, effect in parts:
        yield from _part(owner, config_1, config_2, effect, fit)
    fields = {
        f"dtype policy of the model{fit}": "dtype_policy",
        f"jit_compile of the model{fit}": "jit_compile",
    }
    yield from differ_in("model", one, two, fields, "changes bits", _CURE)


def _part(
    owner: str, one: JSON | Unavailable, two: JSON | Unavailable, effect: Effect, fit: str
) -> Iterator[Finding]:
    if isinstance(one, Unavailable) or isinstance(two, Unavailable):
        fact = f"settings of {owner or 'the loss'}{fit}"
        before, now = (
            config if isinstance(config, Unavailable) else "recorded" for config in (one, two)
        )
        yield from differ("model", fact, before, now, "may change bits", _CURE)
        return
    for path, before, now in _leaves("", _unnamed(simplify(one), {}), _unnamed(simplify(two), {})):
        yield from _finding(_fact(path, owner, fit), before, now, _effect(path, effect))


def _effect(path: str, effect: Effect) -> Effect:
    if path.split(".")[0] in _NO_EFFECT_ON_STEPS:
        return "explains"
    return "may change bits" if path == "batch_size" else effect


_NO_EFFECT_ON_STEPS = ("epochs", "initial_epoch", "validation_freq", "validation_steps")
"""Arguments of ``fit`` about how long it trains or what it measures: they change no step."""


def _fact(path: str, owner: str, fit: str) -> str:
    if not path:
        return f"{owner}{fit}"
    return f"{path} of {owner}{fit}" if owner else f"{path}{fit}"


def _finding(fact: str, one: JSON, two: JSON, effect: Effect) -> Iterator[Finding]:
    before, now = _shortened(one), _shortened(two)
    cure = f"set it to {before}" if before != _ABSENT else "leave it out"
    yield from differ("model", fact, before, now, effect, cure)


class _Layer(NamedTuple):
    name: str
    kind: str
    config: JSON


def _architectures(one: JSON | Unavailable, two: JSON | Unavailable, fit: str) -> Iterator[Finding]:
    if isinstance(one, Unavailable) or isinstance(two, Unavailable):
        yield from _part("the model's architecture", one, two, "changes bits", fit)
        return
    left, right = _layers(one), _layers(two)
    if [layer.kind for layer in left] != [layer.kind for layer in right]:
        yield from _other_layers(left, right, fit)
        return
    names_1, names_2 = _places(left), _places(right)
    for layer_1, layer_2 in zip(left, right, strict=True):
        owner = f"layer {layer_1.name}" if layer_1.name else "the model"
        configs = _unnamed(layer_1.config, names_1), _unnamed(layer_2.config, names_2)
        for path, before, now in _leaves("", *configs):
            yield from _finding(_fact(path, owner, fit), before, now, "changes bits")


def _places(layers: list[_Layer]) -> dict[str, str]:
    return {layer.name: str(position) for position, layer in enumerate(layers)}


def _other_layers(one: list[_Layer], two: list[_Layer], fit: str) -> Iterator[Finding]:
    """Yield the first layer of a different kind: the layers after it are shifted."""
    kinds = [layer.kind for layer in one], [layer.kind for layer in two]
    at = next((at for at, pair in enumerate(zip(*kinds, strict=False)) if pair[0] != pair[1]), None)
    position = min(map(len, kinds)) if at is None else at
    before, now = (
        f"{layers[position].kind} {layers[position].name}".strip()
        if position < len(layers)
        else "no more layers"
        for layers in (one, two)
    )
    fact = f"layer {position} of the model{fit}"
    yield from differ("model", fact, before, now, "changes bits", _CURE)


def _layers(model: JSON, *, top: bool = True) -> list[_Layer]:
    """Return the layers of a serialised model in order, those of an inner model after it."""
    config = _dict(_dict(model).get("config"))
    inner = config.get("layers")
    kind = str(_dict(model).get("class_name", "?"))
    name = str(config.get("name", "")) if not top else ""
    if not isinstance(inner, list):
        return [_Layer(name, kind, simplify(cast("JSON", config)))]
    settings = {key: value for key, value in config.items() if key != "layers"}
    found = [_Layer(name, kind, simplify(settings))]
    for layer in inner:
        found += _layers(layer, top=False)
    return found


def _dict(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _unnamed(value: JSON, places: Mapping[str, str]) -> JSON:
    """Return a layer's config with positions in place of names."""
    # Keras counts the layers of a kind per process: names depend on the models built before.
    if isinstance(value, list):
        return [_unnamed(item, places) for item in value]
    if isinstance(value, dict):
        return {key: _unnamed(item, places) for key, item in value.items() if key != "name"}
    return f"layer {places[value]}" if isinstance(value, str) and value in places else value


def _leaves(path: str, one: JSON, two: JSON) -> Iterator[tuple[str, JSON, JSON]]:
    """Yield the path of each setting that differs, and both values."""
    if isinstance(one, dict) and isinstance(two, dict) and one.get("kind") == two.get("kind"):
        for name in dict.fromkeys((*one, *two)):
            below = f"{path}.{name}" if path else name
            yield from _leaves(below, one.get(name, _ABSENT), two.get(name, _ABSENT))
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for index, pair in enumerate(zip(one, two, strict=True)):
            yield from _leaves(f"{path}[{index}]", *pair)
    elif one != two or type(one) is not type(two):
        yield path, one, two


_ABSENT = "not set"
_LONGEST = 120


def _shortened(value: JSON) -> str:
    text = config_text(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."
