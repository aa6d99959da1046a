"""What a model is and how it trains, compared by what it means: one finding for each setting."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import NamedTuple, cast

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.canonical import JSON
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.training import FitSettings
from wandb_repro.verify.compare_values import differ, recorded
from wandb_repro.verify.finding import Effect, Finding

__all__ = ["described", "model_settings"]

_MOST = 12
"""Findings of one fit; more say how many there are."""


def model_settings(original: Manifest, here: Manifest) -> Iterator[Finding]:
    """Yield what differs between the models of two runs, and how they were trained."""
    sides = original.description, here.description
    if any("fits" not in side.model_fields_set for side in sides):
        return  # of a time when nobody looked
    one, two = sides[0].fits, sides[1].fits
    yield from recorded("model", "settings of the model", one, two)
    if isinstance(one, Unavailable) or isinstance(two, Unavailable):
        return
    several = len(one) > 1 or len(two) > 1
    for mine, yours in zip(one, two, strict=False):
        found = list(_of_fit(mine, yours, f" (fit {mine.fit})" if several else ""))
        yield from found[:_MOST]
        if len(found) > _MOST:
            yield from _more(found[_MOST:])
    yield from differ(
        "model",
        "settings of a fit after the first",
        len(one),
        len(two),
        "may change bits",
        "train and compile as often as the original did",
    )


def _more(found: list[Finding]) -> Iterator[Finding]:
    names = ", ".join(one.fact for one in found[:3])
    told = f"{len(found)} more settings of the model differ: {names}"
    yield found[0].model_copy(
        update={"fact": "more settings of the model", "sentence": told, "cure": _CURE}
    )


_CURE = "build and compile the model as the original was"


def _of_fit(one: FitSettings, two: FitSettings, fit: str) -> Iterator[Finding]:
    parts: tuple[tuple[str, JSON | Unavailable, JSON | Unavailable, Effect], ...] = (
        ("optimizer", one.optimizer, two.optimizer, "changes bits"),
        ("", one.loss, two.loss, "changes bits"),
        ("fit", one.arguments, two.arguments, "changes bits"),
        ("", one.metrics, two.metrics, "explains"),
    )
    yield from _architectures(one.architecture, two.architecture, fit)
    for owner, mine, yours, effect in parts:
        yield from _part(owner, mine, yours, effect, fit)
    for fact, left, right in (
        ("dtype policy of the model", one.dtype_policy, two.dtype_policy),
        ("jit_compile of the model", one.jit_compile, two.jit_compile),
    ):
        yield from differ("model", f"{fact}{fit}", left, right, "changes bits", _CURE)


def _part(
    owner: str, one: JSON | Unavailable, two: JSON | Unavailable, effect: Effect, fit: str
) -> Iterator[Finding]:
    if isinstance(one, Unavailable) or isinstance(two, Unavailable):
        fact = f"settings of {owner or 'the loss'}{fit}"
        mine, yours = (it if isinstance(it, Unavailable) else "recorded" for it in (one, two))
        yield from differ("model", fact, mine, yours, "may change bits", _CURE)
        return
    for path, mine, yours in _leaves("", _unnamed(_meant(one), {}), _unnamed(_meant(two), {})):
        yield from _finding(_fact(path, owner, fit), mine, yours, _effect(path, effect))


def _effect(path: str, effect: Effect) -> Effect:
    if path.split(".")[0] in _HARMLESS:
        return "explains"
    return "may change bits" if path == "batch_size" else effect


_HARMLESS = ("epochs", "initial_epoch", "validation_freq", "validation_steps")
"""Of a ``fit``: it says how long, or what is measured, and changes no step."""


def _fact(path: str, owner: str, fit: str) -> str:
    if not path:
        return f"{owner}{fit}"
    return f"{path} of {owner}{fit}" if owner else f"{path}{fit}"


def _finding(fact: str, one: JSON, two: JSON, effect: Effect) -> Iterator[Finding]:
    mine, yours = _told(one), _told(two)
    cure = f"set it to {mine}" if mine != _ABSENT else "leave it out"
    yield from differ("model", fact, mine, yours, effect, cure)


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
    names = tuple(
        {layer.name: str(place) for place, layer in enumerate(it)} for it in (left, right)
    )
    for mine, yours in zip(left, right, strict=True):
        owner = f"layer {mine.name}" if mine.name else "the model"
        configs = (_unnamed(mine.config, names[0]), _unnamed(yours.config, names[1]))
        for path, a, b in _leaves("", *configs):
            yield from _finding(_fact(path, owner, fit), a, b, "changes bits")


def _other_layers(one: list[_Layer], two: list[_Layer], fit: str) -> Iterator[Finding]:
    """Yield the first place where the layers are of other kinds: behind it all are moved."""
    kinds = [layer.kind for layer in one], [layer.kind for layer in two]
    at = next((at for at, pair in enumerate(zip(*kinds, strict=False)) if pair[0] != pair[1]), None)
    place = min(map(len, kinds)) if at is None else at
    mine = f"{one[place].kind} {one[place].name}" if place < len(one) else "no more layers"
    yours = f"{two[place].kind} {two[place].name}" if place < len(two) else "no more layers"
    fact = f"layer {place} of the model{fit}"
    yield from differ("model", fact, mine.strip(), yours.strip(), "changes bits", _CURE)


def _layers(model: JSON, *, top: bool = True) -> list[_Layer]:
    """Return the layers of a serialised model in their order, those of inner models after it."""
    config = _dict(_dict(model).get("config"))
    inner = config.get("layers")
    kind = str(_dict(model).get("class_name", "?"))
    name = str(config.get("name", "")) if not top else ""
    if not isinstance(inner, list):
        return [_Layer(name, kind, _meant(cast("JSON", config)))]
    own = {key: value for key, value in config.items() if key != "layers"}
    found = [_Layer(name, kind, _meant(own))]
    for layer in inner:
        found += _layers(layer, top=False)
    return found


def _dict(value: JSON) -> dict[str, JSON]:
    return value if isinstance(value, dict) else {}


def _meant(value: JSON) -> JSON:
    """Return a serialised object as its kind and its settings, without the wrapping.

    ``{"class_name": "Adam", "config": {...}}`` becomes its settings with ``kind`` beside them; one
    without settings becomes its kind.
    """
    if isinstance(value, list):
        return [_meant(one) for one in value]
    if not isinstance(value, dict):
        return value
    if "class_name" in value and "config" in value:
        config = _meant(value["config"])
        if value["class_name"] == "function":
            return config
        if value["class_name"] == "DTypePolicy" and isinstance(config, dict):
            return config.get("name")
        settings = config if isinstance(config, dict) else {"config": config}
        return {"kind": value["class_name"], **settings}
    return {name: _meant(item) for name, item in value.items()}


def _unnamed(value: JSON, places: Mapping[str, str]) -> JSON:
    """Return a layer's config with names as places: Keras counts layers, in each process anew."""
    if isinstance(value, list):
        return [_unnamed(one, places) for one in value]
    if isinstance(value, dict):
        return {key: _unnamed(item, places) for key, item in value.items() if key != "name"}
    return f"layer {places[value]}" if isinstance(value, str) and value in places else value


def _leaves(path: str, one: JSON, two: JSON) -> Iterator[tuple[str, JSON, JSON]]:
    """Yield the path of each setting that is not the same, and both values."""
    if isinstance(one, dict) and isinstance(two, dict) and one.get("kind") == two.get("kind"):
        for name in dict.fromkeys((*one, *two)):
            mine, yours = one.get(name, _ABSENT), two.get(name, _ABSENT)
            yield from _leaves(f"{path}.{name}" if path else name, mine, yours)
    elif isinstance(one, list) and isinstance(two, list) and len(one) == len(two):
        for place, pair in enumerate(zip(one, two, strict=True)):
            yield from _leaves(f"{path}[{place}]", *pair)
    elif one != two or type(one) is not type(two):
        yield path, one, two


_ABSENT = "not there"
_LONGEST = 120


def _told(value: JSON) -> str:
    """Return a setting in words: an object by its kind and what is set in it."""
    text = described(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}..."


def described(value: JSON) -> str:
    """Return a setting in words: a serialised object by its kind and what is set in it.

    float32 has seven digits: 0.0010000000474974513 is 0.001.
    """
    value = _meant(value)
    if isinstance(value, float):
        return f"{value:.7g}"
    if isinstance(value, dict):
        kind = str(value.get("kind", ""))
        items = (
            f"{name}={described(item)}"
            for name, item in sorted(value.items(), key=_after_the_rate)
            if name not in ("kind", "name") and item not in (None, False)
        )
        inside = ", ".join(items)
        return f"{kind}({inside})" if kind and inside else kind or f"({inside})"
    if isinstance(value, list):
        return ", ".join(map(described, value)) or "none"
    return str(value)


def _after_the_rate(item: tuple[str, JSON]) -> bool:
    """Return what orders settings: the learning rate is what people look for first."""
    return not item[0].endswith("learning_rate")
