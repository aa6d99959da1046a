"""Training and validation data of a ``fit``, whether split by Keras or by the caller."""

from __future__ import annotations

from collections.abc import Mapping

from wandb_repro.capture.dataset.arrays import arrays_of, kind_of
from wandb_repro.capture.dataset.fingerprint import Measured, dataset_of
from wandb_repro.errors import DigestError

_MOST_BYTES = 256 << 20
"""Of both together: reading more would take over 0.1 s, which nobody requested."""


def split_of(arguments: Mapping[str, object], fit: int) -> tuple[Measured, Measured] | None:
    """Return the two parts of a fit's data; None if they are not arrays, or are large.

    Args:
        arguments: local variables of ``fit`` when training begins: ``x`` and ``y`` without the part
            that ``validation_split`` took, ``val_x`` and ``val_y``.
        fit: its number, for the names of the parts.
    """
    x, validation = arguments.get("x"), arguments.get("val_x")
    if x is None or validation is None or not _is_small(x, validation):
        return None
    return (
        dataset_of(f"training of fit {fit}", x, arguments.get("y")),
        dataset_of(f"validation of fit {fit}", validation, arguments.get("val_y")),
    )


def _is_small(*values: object) -> bool:
    if not all(kind_of(value) for value in values):
        return False
    try:
        arrays = [array for value in values for _, array in arrays_of("x", value)]
    except DigestError:
        return False
    return sum(array.nbytes for array in arrays) <= _MOST_BYTES
