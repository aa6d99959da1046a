"""A long trail: its size on the disk, and what it takes to read and to compare two."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.benchmarks.children import lines_told

_STEPS = 100_000
_LEAVES = 100

_SCRIPT = """
import hashlib, resource, shutil, sys, time
from pathlib import Path
from wandb_repro.digest import LEAF_ALGORITHM, ROOT_ALGORITHM
from wandb_repro.manifest.trail import End, Shape, Start, Step, Structure
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.local import TrailWriter, read_trail
from wandb_repro.verify.trail_diff import compare

steps, leaves = {steps}, {leaves}

def written(folder):
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    shapes = tuple(
        Shape(group="trainable", label=f"v{{at}}", dtype="float32", shape=(4,))
        for at in range(leaves)
    )
    writer = TrailWriter(folder / "trail.jsonl")
    writer.append(
        Start(leaf_algorithm=LEAF_ALGORITHM, root_algorithm=ROOT_ALGORITHM), sync=False
    )
    writer.append(Structure(fit=1, leaves=shapes), sync=False)
    for step in range(1, steps + 1):
        drawn = hashlib.shake_128(str(step).encode()).hexdigest(16 + 4 * leaves)
        writer.append(
            Step.model_construct(
                fit=1, epoch=0, step=step, root=drawn[:32], changed=f"0-{{leaves - 1}}",
                leaves=drawn[32:], before=None, data=None,
            ),
            sync=False,
        )
    writer.append(End(status="finished", fits=1), sync=True)
    writer.close()
    return Capsule(folder)

def memory():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

one = written(Path("one"))
started = time.perf_counter()
two = written(Path("two"))
write = time.perf_counter() - started
before = memory()
started = time.perf_counter()
original, other = read_trail(one), read_trail(two)
read = time.perf_counter() - started
started = time.perf_counter()
found = compare(original, other)
took = time.perf_counter() - started
assert found.first is None and found.moments == steps, found
print(one.trail.stat().st_size, write, read, took, (memory() - before) / 1024, sep="\\n")
"""


def measure() -> Iterator[str]:
    with tempfile.TemporaryDirectory() as name:
        script = _SCRIPT.format(steps=_STEPS, leaves=_LEAVES)
        told = [float(line) for line in lines_told(script, Path(name))[-5:]]
    size, write, read, compare, memory = told
    yield (
        f"{_STEPS:,} steps of {_LEAVES} variables that all change: {size / 1e6:.0f} MB, "
        f"{size / _STEPS:.0f} bytes a step; written at {write / _STEPS * 1e6:.0f} us a step"
    )
    yield (
        f"two of them: chains checked in {read:.1f} s, compared in {compare:.1f} s; "
        f"{memory:.0f} MB of memory more"
    )
