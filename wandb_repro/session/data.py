"""Digests of the data: what it was, nothing of it is kept."""

from __future__ import annotations

from typing import Protocol, TypeGuard, cast

from wandb_repro.digest import LEAF_ALGORITHM, ROOT_ALGORITHM, Array, leaf_digest, root_digest
from wandb_repro.errors import DigestError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.data import ArrayDigest, Dataset

__all__ = ["dataset_of"]


class _HasArray(Protocol):
    __array_interface__: object


def dataset_of(name: str, x: object, y: object = None) -> Dataset:
    """Return what a named part of the data is.

    Args:
        name: of the part, such as ``train``.
        x: NumPy array, examples along the first axis.
        y: targets, likewise; None where there are none.
    """
    parts = [("x", x)] if y is None else [("x", x), ("y", y)]
    odd = [role for role, value in parts if not _is_array(value)]
    if odd:
        return _unknown(name, f"{odd[0]} is a {type(dict(parts)[odd[0]]).__name__}, no NumPy array")
    try:
        arrays = tuple(_array(role, cast("Array", value)) for role, value in parts)
    except DigestError as error:
        return _unknown(name, error.message)
    root = root_digest((part.role, part.digest.rpartition(":")[2]) for part in arrays)
    return Dataset(name=name, kind="numpy", arrays=arrays, digest=f"{ROOT_ALGORITHM}:{root}")


def _is_array(value: object) -> TypeGuard[_HasArray]:
    return hasattr(value, "__array_interface__") and hasattr(value, "dtype")


def _array(role: str, value: Array) -> ArrayDigest:
    return ArrayDigest(
        role=role,
        dtype=str(value.dtype.name),
        shape=tuple(value.shape),
        digest=f"{LEAF_ALGORITHM}:{leaf_digest(value)}",
    )


def _unknown(name: str, reason: str) -> Dataset:
    missing = Unavailable(unavailable=reason)
    return Dataset(name=name, kind="unknown", arrays=missing, digest=missing)
