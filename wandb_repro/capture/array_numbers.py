"""A few numbers of an array, which show how far apart two unequal arrays are."""

from __future__ import annotations

import functools
import math
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import xxhash

from wandb_repro.digest import Array

if TYPE_CHECKING:
    import numpy as np


ALGORITHM = "wrepro-numbers-1"
"""Name of the method that makes the numbers. ``manifest/FORMAT.md`` defines each of them."""


SKETCHES = 4
"""Projections of an array."""


_BLOCK = 4096
"""Elements of a block; each block has its own sign for each projection."""


_PIECE_BLOCKS = 64
"""Blocks in a piece, which fits in a core's cache."""


class LeafNumbers(NamedTuple):
    """The numbers of one array. They describe a difference; only digests prove equality."""

    norm: float
    """Euclidean norm of the finite elements."""
    low: float
    """Smallest finite element; NaN if there is none."""
    high: float
    """Largest finite element; NaN if there is none."""
    sketch: tuple[float, ...]
    """Projections on fixed signs; their differences estimate the distance between two arrays."""
    non_finite: int


NOT_NUMBERS = LeafNumbers(math.nan, math.nan, math.nan, (math.nan,) * SKETCHES, 0)


def numbers_of(array: Array) -> LeafNumbers:
    """Return an array's numbers; all NaN if its elements are not numbers.

    The array is read once, in pieces that fit in the cache. Sums are binary64 and their order is
    not fixed: the last digits may differ between machines.
    """
    import numpy as np

    flat: Any = array.reshape(-1)
    if flat.dtype.kind in "OSUMm":
        return NOT_NUMBERS
    if flat.dtype.kind == "c":
        flat = np.concatenate([flat.real, flat.imag])
    summed = _Sums()
    size = _BLOCK * _PIECE_BLOCKS
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
        """Add the next elements, float64; ``block`` is the number of their first block."""
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
        self._sketch = [sum_ + float(part) for sum_, part in zip(self._sketch, found, strict=True)]

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

    Args:
        rows: float64, of shape (blocks, 4096).
        signs: float64, of shape (4, 4096).

    Returns:
        float64, of shape (blocks, 4).
    """
    import numpy as np

    # NOTE: both ways stay on this thread. BLAS would split this little work among all cores and
    # wait for them: on a busy machine, twenty times as long.
    if hasattr(np, "vecdot"):  # NumPy 2; half the time
        return cast("Any", np).vecdot(rows[:, None], signs)
    return np.einsum("bi,ki->bk", rows, signs)


@functools.lru_cache(maxsize=1)
def _signs_of_a_block() -> np.ndarray[Any, Any]:
    """Return the signs within a block, float64, of shape (4, 4096)."""
    import numpy as np

    signs = cast("Any", _signs("s", 0, _BLOCK))
    return np.ascontiguousarray(signs.T)


@functools.lru_cache(maxsize=4096)
def _signs(which: str, first: int, count: int) -> np.ndarray[Any, Any]:
    """Return fixed pseudorandom signs (1.0 or -1.0), float64, of shape (count, 4)."""
    import numpy as np

    name = f"{ALGORITHM}\0{which}".encode()
    signs = np.empty((count, SKETCHES))
    for at in range(count):
        number = (first + at).to_bytes(8, "little")
        byte = xxhash.xxh3_128_digest(name + number)[0]
        signs[at] = [1.0 if byte >> bit & 1 else -1.0 for bit in range(SKETCHES)]
    return cast("np.ndarray[Any, Any]", signs)
