"""Finds state that nobody named: what an object's attributes were, and what they became."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, cast

from wandb_repro.digest import Array, leaf_digest
from wandb_repro.keras.resume.callbacks import SAVED
from wandb_repro.keras.resume.values import Pieces, Unsaveable, packed

__all__ = ["Watch"]

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
