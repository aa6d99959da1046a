"""Trainings with checkpoints in this process, as if each began in a process of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.training import data, dense_model

__all__ = ["Folder", "bits_of", "folder"]


def bits_of(model: Any) -> str:
    """Return a digest over all variables of a model."""
    from wandb_repro.keras import variables_of

    told = hashlib.sha256()
    for one in variables_of(model):
        told.update(cast("Any", one.value).tobytes())
    return told.hexdigest()


class Folder:
    """A folder of checkpoints, and the processes that train with it."""

    def __init__(self, path: Path, begin: Callable[[], None]) -> None:
        self.path = path
        self.begin = begin

    def train(
        self, epochs: int = 2, *callbacks: Any, model: Any = None, seed: int = 3, **options: Any
    ) -> Any:
        """Train as a process that has just begun; return the model.

        Args:
            epochs: how many in all.
            callbacks: beside the one that saves checkpoints.
            model: makes the model; None takes a small one.
            seed: of the process.
            options: ``saving`` for our callback, the rest for ``fit``.
        """
        import keras

        from wandb_repro.keras import ReproCheckpoint

        self.begin()
        cast("Any", keras).utils.set_random_seed(seed)
        made = model() if model is not None else dense_model()
        saving = options.pop("saving", {})
        ours = ReproCheckpoint(self.path, **saving)
        x, y = data()
        usual = {"x": x, "y": y, "batch_size": 4, "verbose": 0}
        if "x" in options:
            usual = {"verbose": 0}
        made.fit(**{**usual, **options}, epochs=epochs, callbacks=[ours, *callbacks])
        return made

    def names(self) -> list[str]:
        """Return the names of the checkpoints that are there."""
        return sorted(it.name for it in self.path.glob("*.ckpt"))


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A folder for checkpoints, in a process that has said nothing yet."""
    from wandb_repro.recording.process_state import process

    return Folder(tmp_path / "ckpt", process.reset)
