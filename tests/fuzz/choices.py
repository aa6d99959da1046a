"""Bytes as choices: one fuzzer, or another, decides what is changed in a valid document."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

__all__ = ["ODD", "Choices", "mutated", "nested"]

T = TypeVar("T")


def nested(levels: int) -> Any:
    """Return lists within each other."""
    value: Any = 0
    for _ in range(levels):
        value = [value]
    return value


_TEXTS = (
    *("", " ", "\0", "\n", "\x1b]0;owned\x07", "\x9b31m", "\u202egpj.exe", "\ufeff", "\ufffe"),
    *("../../etc/passwd", "/etc/passwd", "..", ".", "/", "//", "a/../b", "C:\\x", "~", "~root"),
    *("--help", "-c", "-", "--", "-X\0", "--index-url=http://127.0.0.1:9", "-r/etc/passwd"),
    *("$(touch x)", "; touch x", "`x`", "%s", "{}", "[bold]x[/bold]", "[/]", "<script>"),
    *("file:///etc/passwd", "ext::sh -c x", "git+file:///x", "http://[::1", "http://h:99999/"),
    *("1.0", "1.0+cpu", "9" * 5000, "1!2.3rc1", "-0x1.8p+1", "nan", "inf", "0x1p99999"),
    *("0" * 40, "f" * 64, "٣", "é", "e\u0301", "\U0001f600", "x" * 3000),
)
_OTHERS: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 1, 2**31, 2**63, -(2**63), 10**400, 1.5, -0.0, 1e308, 5e-324),
    *([], {}, [[]], [""], [None], {"": 0}, {"unavailable": "why"}, {"unavailable": 3}, nested(90)),
    *({"kind": "script"}, {"size_bytes": -1}, ["x"] * 300),
)
ODD: tuple[Any, ...] = (*_TEXTS, *_OTHERS)
"""Values that something has stumbled over before."""


class Choices:
    """Takes bytes one after the other; where they are used up, each further choice is the first."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    @property
    def left(self) -> bytes:
        """What was not taken yet."""
        return self._data[self._at :]

    def number(self, below: int) -> int:
        """Return a number from 0 up to ``below``, which it is not."""
        taken = self._data[self._at : self._at + 2]
        self._at += 2
        return int.from_bytes(taken, "little") % below

    def one_of(self, several: Sequence[T]) -> T:
        """Return one of several."""
        return several[self.number(len(several))]


def mutated(document: Any, choices: Choices) -> Any:
    """Return a document with one to four places changed, removed, doubled, renamed, or added."""
    changed = copy.deepcopy(document)
    for _ in range(1 + choices.number(4)):
        parent = _walked(changed, choices)
        if parent:
            choices.one_of(_CHANGES)(parent, choices)
    return changed


def _walked(value: Any, choices: Choices) -> Any:
    """Return a list or an object inside the document that holds something."""
    while True:
        inner: list[Any] = [one for one in _items(value) if _holds_something(one)]
        if not inner or choices.number(4) == 0:
            return value
        value = choices.one_of(inner)


def _holds_something(value: Any) -> bool:
    return isinstance(value, (dict, list)) and bool(value)  # pyright: ignore[reportUnknownArgumentType]


def _items(value: Any) -> list[Any]:
    return [value[key] for key in _keys(value)]


def _keys(value: Any) -> list[Any]:
    return sorted(value) if hasattr(value, "keys") else list(range(len(value)))


def _key(parent: Any, choices: Choices) -> Any:
    return choices.one_of(_keys(parent))


def _replace(parent: Any, choices: Choices) -> None:
    parent[_key(parent, choices)] = copy.deepcopy(choices.one_of(ODD))


def _remove(parent: Any, choices: Choices) -> None:
    del parent[_key(parent, choices)]


def _move(parent: Any, choices: Choices) -> None:
    """Put what stands at one place at another, too."""
    parent[_key(parent, choices)] = copy.deepcopy(parent[_key(parent, choices)])


def _add(parent: Any, choices: Choices) -> None:
    value = copy.deepcopy(choices.one_of(ODD))
    if isinstance(parent, dict):
        parent[choices.one_of(_TEXTS)] = value
    else:
        parent.append(value)


_CHANGES: tuple[Callable[[Any, Choices], None], ...] = (_replace, _replace, _remove, _move, _add)
