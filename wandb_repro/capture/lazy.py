"""An attribute that is computed when it is first read, without a lock."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class lazy(Generic[T]):  # noqa: N801 - it decorates, as ``property`` does
    """Computes the attribute at its first access and keeps it; two threads may both compute it.

    Up to Python 3.11, ``functools.cached_property`` holds one lock for all instances: a process
    forked while another thread computes would wait for that lock for ever.
    """

    def __init__(self, compute: Callable[[Any], T]) -> None:
        self._compute = compute
        self.__doc__ = compute.__doc__

    @overload
    def __get__(self, instance: None, owner: type) -> lazy[T]: ...
    @overload
    def __get__(self, instance: object, owner: type | None = None) -> T: ...

    def __get__(self, instance: object | None, owner: type | None = None) -> lazy[T] | T:
        if instance is None:
            return self
        # In the instance's dictionary it is found before this descriptor, which sets nothing.
        return vars(instance).setdefault(self._compute.__name__, self._compute(instance))
