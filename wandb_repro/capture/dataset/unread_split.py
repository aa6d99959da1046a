"""Training and validation data that cannot be read a second time without changing the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import cast

from wandb_repro.capture.dataset.arrays import kind_of
from wandb_repro.manifest.data import Overlap

_TOO_LARGE = "together they have more than 256 MB"
_DATASET = "a tf.data.Dataset that is read once more may give other batches in later epochs"
_GENERATOR = "a generator can be read only once"
_CALLS = "reading it once more would call the script's code, which may draw random numbers"


def why_unread(arguments: Mapping[str, object]) -> str:
    """Return why the rows of a fit's two parts were not compared; empty without validation data.

    Call it if ``split_of`` returned None.
    """
    x, validation = arguments.get("x"), arguments.get("val_x")
    if x is None or validation is None:
        return ""
    return next((why for value in (x, validation) if (why := _why(value))), _TOO_LARGE)


def _why(value: object) -> str:
    if hasattr(value, "element_spec"):
        return _DATASET
    if hasattr(value, "__next__"):
        return _GENERATOR
    return "" if kind_of(value) else _CALLS


def files_in_both(arguments: Mapping[str, object], fit: int) -> Overlap | None:
    """Return how many files two datasets of Keras have in common; None if there are none.

    ``image_dataset_from_directory`` and its like keep the paths of their files in ``file_paths``.
    """
    training, validation = (_files(arguments.get(name)) for name in ("x", "val_x"))
    both = training & validation
    if not both:
        return None
    return Overlap(
        one=f"training of fit {fit}",
        two=f"validation of fit {fit}",
        rows_of_one=len(both),
        rows_of_two=len(both),
    )


def _files(value: object) -> set[str]:
    paths = getattr(value, "file_paths", None)
    if not isinstance(paths, (list, tuple)):
        return set()
    return {path for path in cast("Sequence[object]", paths) if isinstance(path, str)}
