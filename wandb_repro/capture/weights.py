"""The weights: one digest a variable.

A few numbers of an array, to tell how far apart two are that are not equal.
"""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import xxhash

from wandb_repro.digest import Array

if TYPE_CHECKING:
    import numpy as np

__all__ = [
    "ALGORITHM",
    "GROUPS",
    "SKETCHES",
    "LeafNumbers",
    "Variable",
    "numbers_of",
]


GROUPS = ("trainable", "non_trainable", "seed", "optimizer")
"""Groups of variables in the order they are digested."""


class Variable(NamedTuple):
    """One variable of a model, its value on the host."""

    group: str
    """One of ``GROUPS``."""
    label: str
    """Keras' path, such as ``sequential/conv2d/kernel``; for people only."""
    value: Array


ALGORITHM = "wrepro-numbers-1"
"""Named in FORMAT.md, which says how each number is made."""

SKETCHES = 4
_BLOCK = 4096
_AT_ONCE = 64
"""Blocks: as many numbers stay in a core's cache."""


class LeafNumbers(NamedTuple):
    """The numbers of one array. They describe; only digests prove."""

    norm: float
    """Euclidean, of the finite elements."""
    low: float
    """Least finite element; NaN where there is none."""
    high: float
    sketch: tuple[float, ...]
    """Projections on fixed signs: their differences estimate the distance of two arrays."""
    non_finite: int


NOT_NUMBERS = LeafNumbers(math.nan, math.nan, math.nan, (math.nan,) * SKETCHES, 0)


def numbers_of(array: Array) -> LeafNumbers:
    """Return an array's numbers; NaN in all of them if its elements are no numbers.

    The array is gone through once, in pieces that stay in the cache. Sums are binary64 and of
    no fixed order: their last digits may differ between machines.
    """
    import numpy as np

    flat: Any = array.reshape(-1)
    if flat.dtype.kind in "OSUMm":
        return NOT_NUMBERS
    if flat.dtype.kind == "c":
        flat = np.concatenate([flat.real, flat.imag])
    summed = _Sums()
    size = _BLOCK * _AT_ONCE
    for first in range(0, flat.size, size):
        summed.add(flat[first : first + size].astype(np.float64), first // _BLOCK)
    return summed.numbers()


class _Sums:
    def __init__(self) -> None:
        self._squares: list[float] = []
        self._sketch = [0.0] * SKETCHES
        self._low, self._high = math.inf, -math.inf
        self._non_finite = 0

    def add(self, piece: Any, block: int) -> None:
        """Take the next elements, binary64; ``block`` is the number of their first block."""
        import numpy as np

        low, high = piece.min(), piece.max()
        if not (math.isfinite(low) and math.isfinite(high)):
            finite = np.isfinite(piece)
            self._non_finite += int(piece.size - np.count_nonzero(finite))
            low = piece.min(initial=math.inf, where=finite)
            high = piece.max(initial=-math.inf, where=finite)
            piece = np.nan_to_num(piece, nan=0.0, posinf=0.0, neginf=0.0)
        self._low, self._high = min(self._low, float(low)), max(self._high, float(high))
        with np.errstate(over="ignore", invalid="ignore"):
            self._squares.append(float(np.einsum("i,i->", piece, piece)))
            self._project(piece, block)

    def _project(self, piece: Any, block: int) -> None:
        import numpy as np

        blocks = -(-piece.size // _BLOCK)
        if piece.size % _BLOCK:
            padded: Any = np.zeros(blocks * _BLOCK)
            padded[: piece.size] = piece
            piece = padded
        rows = _products(piece.reshape(blocks, _BLOCK), _signs_of_a_block())
        found = (rows * _signs("t", block, blocks)).sum(axis=0)
        self._sketch = [one + float(more) for one, more in zip(self._sketch, found, strict=True)]

    def numbers(self) -> LeafNumbers:
        none = self._low > self._high
        return LeafNumbers(
            norm=math.sqrt(math.fsum(self._squares)) if self._squares else 0.0,
            low=math.nan if none else self._low,
            high=math.nan if none else self._high,
            sketch=tuple(self._sketch),
            non_finite=self._non_finite,
        )


def _products(rows: Any, signs: Any) -> Any:
    """Return the products of each row with each projection's signs.

    NOTE: both ways stay on this thread. A product of matrices by BLAS would share so little work
    among all cores, and wait for them: on a busy machine for twenty times as long as this takes.
    """
    import numpy as np

    if hasattr(np, "vecdot"):  # NumPy 2; in half the time
        return cast("Any", np).vecdot(rows[:, None], signs)
    return np.einsum("bi,ki->bk", rows, signs)


@functools.lru_cache(maxsize=1)
def _signs_of_a_block() -> np.ndarray[Any, Any]:
    """Return the signs within a block (4, 4096), each projection's one after the other."""
    import numpy as np

    signs = cast("Any", _signs("s", 0, _BLOCK))
    return np.ascontiguousarray(signs.T)


@functools.lru_cache(maxsize=4096)
def _signs(which: str, first: int, count: int) -> np.ndarray[Any, Any]:
    """Return signs (count, 4): fixed, and as good as drawn."""
    import numpy as np

    name = f"{ALGORITHM}\0{which}".encode()
    signs = np.empty((count, SKETCHES))
    for at in range(count):
        number = (first + at).to_bytes(8, "little")
        byte = xxhash.xxh3_128_digest(name + number)[0]
        signs[at] = [1.0 if byte >> bit & 1 else -1.0 for bit in range(SKETCHES)]
    return cast("np.ndarray[Any, Any]", signs)
