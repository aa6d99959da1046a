"""What ``fingerprint`` costs: beside the plain digest of the same bytes, and beside the disk."""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, cast

import numpy

from wandb_repro.capture.dataset import dataset_of
from wandb_repro.digest import leaf_digest

np: Any = cast("Any", numpy)

_ROUNDS = 3
_SHAPES = {
    "1,000,000 rows of 8 float32": (1_000_000, 8),
    "60,000 rows of 784 float32": (60_000, 784),
    "1,000 rows of 224 x 224 float32": (1_000, 224 * 224),
}
_FILE_BYTES = 500_000_000


def measure() -> Iterator[str]:
    for name, shape in _SHAPES.items():
        array = np.random.default_rng(0).random(shape, "f4")
        plain = _best(partial(leaf_digest, array))
        both = _best(partial(dataset_of, "train", array))
        yield (
            f"{name}: plain digest {_rate(array.nbytes, plain)}, in order and free of it "
            f"{_rate(array.nbytes, both)}, ratio {plain / both:.2f}   (budget 0.80)"
        )
    yield from _files()


def _files() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        os.environ["WANDB_REPRO_CACHE"] = name
        file = Path(name) / "train.bin"
        with file.open("wb") as written:
            for _ in range(_FILE_BYTES // (1 << 20)):
                written.write(os.urandom(1 << 20))
        cold, cold_digested = _from_disk(file)
        plain = _best(lambda: _read(file))
        digested = _best(lambda: dataset_of("train", path=str(file)))
        then = time.time() - 3600
        os.utime(file, (then, then))
        dataset_of("train", path=str(file))
        known = _best(lambda: dataset_of("train", path=str(file)))
    yield (
        f"a file of {_FILE_BYTES / 1e6:.0f} MB on the disk: read {_rate(_FILE_BYTES, cold)}, "
        f"fingerprint {_rate(_FILE_BYTES, cold_digested)}, ratio {cold / cold_digested:.2f}   "
        "(budget 0.80)"
    )
    yield (
        f"a file of {_FILE_BYTES / 1e6:.0f} MB in memory: read {_rate(_FILE_BYTES, plain)}, "
        f"fingerprint {_rate(_FILE_BYTES, digested)}, ratio {plain / digested:.2f}"
    )
    yield f"the same file, unchanged: {known * 1e3:.1f} ms"


def _from_disk(file: Path) -> tuple[float, float]:
    """Return what reading and what the fingerprint take, in turns, none of the file in memory."""
    took: list[list[float]] = [[], []]
    for _ in range(_ROUNDS):
        for times, call in zip(
            took, (lambda: _read(file), lambda: dataset_of("train", path=str(file))), strict=True
        ):
            _forget(file)
            times.append(_best(call, rounds=1))
    return min(took[0]), min(took[1])


def _forget(file: Path) -> None:
    """Have the system give up what it holds of a file in memory, and us what we know of it."""
    now = time.time()
    os.utime(file, (now, now))
    with file.open("rb") as opened:
        os.fsync(opened.fileno())
        os.posix_fadvise(opened.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def _read(file: Path) -> None:
    buffer = bytearray(1 << 20)
    with file.open("rb", buffering=0) as opened:
        while opened.readinto(buffer):
            pass


def _best(call: Callable[[], object], rounds: int = _ROUNDS) -> float:
    took: list[float] = []
    for _ in range(rounds):
        started = time.perf_counter()
        call()
        took.append(time.perf_counter() - started)
    return min(took)


def _rate(size_bytes: int, seconds: float) -> str:
    return f"{size_bytes / seconds / 1e9:.1f} GB/s"
