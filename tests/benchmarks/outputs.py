"""How long the digest of a saved model takes, beside reading its bytes once."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from tests.support.archives import keras_file
from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.capture.outputs.output_file import digest_output

_ROUNDS = 5
_PIECE_BYTES = 1 << 20


def measure() -> Iterator[str]:
    """Yield the ratio for a model of few large tensors, and of many small ones."""
    with tempfile.TemporaryDirectory() as folder:
        for name, count, size in (("large", 24, 2_500_000), ("small", 1_000, 1_000)):
            arrays = {
                f"layers/{number}/vars/0": np.full(size, number, dtype="f4")
                for number in range(count)
            }
            yield _of_model(name, count, keras_file(Path(folder, f"{name}.keras"), arrays))


def _of_model(name: str, count: int, path: Path) -> str:
    read = _fastest(lambda: _read(path))
    digested = _fastest(lambda: digest_output(path, OutputBudget()))
    size = path.stat().st_size
    each = (digested - read) / count * 1e6
    return (
        f"{name}: .keras of {size / 1e6:.0f} MB, {count} tensors: {digested / read:.2f} × reading "
        f"its bytes ({digested * 1e3:.0f} ms, {each:.0f} µs a tensor more)"
    )


def _read(path: Path) -> None:
    buffer = bytearray(_PIECE_BYTES)
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass


def _fastest(work: Callable[[], object]) -> float:
    times: list[float] = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        work()
        times.append(time.perf_counter() - started)
    return min(times)
