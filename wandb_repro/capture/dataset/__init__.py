"""The data: what it was, by digest; nothing of it is kept."""

from __future__ import annotations

from wandb_repro.capture.dataset.fingerprint import Measured, dataset_of
from wandb_repro.capture.dataset.split import split_of

__all__ = ["Measured", "dataset_of", "split_of"]
