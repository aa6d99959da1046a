"""Counts the fits of each model: of thousands, only some are digested."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

FIRST_FITS = 100
"""Fits of a model that are all digested; of later ones, the 128th, 256th, 512th ..."""


def is_digested(ordinal: int) -> bool:
    """Tell whether the Nth fit of a model is digested, if it is a small one.

    Example:
        >>> [n for n in range(90, 600) if is_digested(n)][-3:]
        [128, 256, 512]
    """
    return ordinal <= FIRST_FITS or ordinal & (ordinal - 1) == 0


@dataclass
class _Model:
    reference: weakref.ref[Any] | None
    fits: int = 0
    settings: object = None


class FitCount:
    """How many fits each model had. A model that is gone takes no memory."""

    def __init__(self) -> None:
        self._models: dict[int, _Model] = {}

    def count(self, model: object) -> int:
        """Count another fit of a model; return how many there were, from 1."""
        known = self._known(model)
        known.fits += 1
        return known.fits

    def has_new_settings(self, model: object, arguments: Mapping[str, object]) -> bool:
        """Tell whether a model was compiled again, or fits with other arguments than last time.

        It compares objects and not their values, which takes 10 ms.
        """
        known = self._known(model)
        numbers = {
            name: value
            for name, value in arguments.items()
            if isinstance(value, (bool, int, float, str)) and name != "self"
        }
        settings = (_reference(getattr(model, "optimizer", None)), numbers)
        old, known.settings = known.settings, settings
        return old != settings

    def _known(self, model: object) -> _Model:
        # Keras models can be keys of a dictionary; what a test or a script passes may not.
        key = id(model)
        known = self._models.get(key)
        if known is None or (known.reference is not None and known.reference() is not model):
            known = _Model(_reference(model, lambda gone: self._forget(key, gone)))
            self._models[key] = known
        return known

    def _forget(self, key: int, gone: weakref.ref[Any]) -> None:
        known = self._models.get(key)
        if known is not None and known.reference is gone:  # else a new model has its place
            del self._models[key]


def _reference(
    value: object, when_gone: Callable[[weakref.ref[Any]], None] | None = None
) -> weakref.ref[Any] | None:
    try:
        return weakref.ref(value, when_gone)
    except TypeError:
        return None
