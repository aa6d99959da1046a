"""Finds the objects of some classes that exist in this process."""

from __future__ import annotations

import gc
from collections.abc import Collection, Iterator
from typing import Any, cast


def living_objects(kinds: Collection[type[Any]]) -> Iterator[tuple[type[Any], Any]]:
    """Yield each object of these classes or their subclasses, after the first that it is of.

    The order is the garbage collector's, which is not the same in every process. It takes 0.1 to
    0.2 s where TensorFlow is loaded.

    Args:
        kinds: classes whose objects the garbage collector follows, as those of a framework.

    Example:
        >>> [model for _, model in living_objects([keras.Model])]
    """
    # Asked once of each class: there are hundreds of thousands of objects. By the id, since a
    # metaclass may make its classes unhashable.
    known: dict[int, type[Any] | None] = {}
    for thing in gc.get_objects():
        # Not isinstance: it calls a proxy's ``__class__``, which may import or compute something.
        own = cast("type[object]", type(thing))
        if id(own) not in known:
            known[id(own)] = next((kind for kind in kinds if issubclass(own, kind)), None)
        kind = known[id(own)]
        if kind is not None:
            yield kind, thing
