"""Digests of the data; the data itself is not kept."""

from __future__ import annotations

from wandb_repro.capture.dataset.fingerprint import Measured, dataset_of
from wandb_repro.capture.dataset.split import split_of

__all__ = ["Measured", "dataset_of", "split_of"]
