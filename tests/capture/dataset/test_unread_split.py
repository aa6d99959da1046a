from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from wandb_repro.capture.dataset.unread_split import files_in_both, why_unread

X: Any = np.zeros((4, 2))


def dataset(*files: str) -> object:
    """Return a dataset as ``image_dataset_from_directory`` makes it, as far as this matters."""
    return SimpleNamespace(element_spec=None, file_paths=list(files))


@pytest.mark.parametrize(
    ("x", "validation", "why"),
    [
        (X, None, ""),
        (None, X, ""),
        (dataset(), X, "a tf.data.Dataset that is read once more"),
        (X, dataset(), "a tf.data.Dataset that is read once more"),
        (iter([X]), X, "a generator can be read only once"),
        (SimpleNamespace(), X, "would call the script's code"),
        (X, X, "more than 256 MB"),
    ],
    ids=["no validation", "no data", "dataset", "validated", "generator", "PyDataset", "large"],
)
def test_what_is_not_read_has_a_reason(x: object, validation: object, why: str) -> None:
    found = why_unread({"x": x, "val_x": validation})

    assert (why in found) if why else not found


def test_files_in_both_datasets_of_keras_are_counted() -> None:
    arguments = {"x": dataset("a.png", "b.png"), "val_x": dataset("b.png", "c.png")}

    assert str(files_in_both(arguments, 2)) == (
        "1 row of 'validation of fit 2' is also in 'training of fit 2'"
    )
    assert files_in_both({"x": dataset("a.png"), "val_x": dataset("b.png")}, 1) is None
    assert files_in_both({"x": X, "val_x": dataset("b.png")}, 1) is None
