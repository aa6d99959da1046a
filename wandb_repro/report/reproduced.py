"""How often and where a run was reproduced, in one line, from what its reruns wrote back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Accelerator, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.verify.verdict import Grade

_COUNTED: tuple[Grade, ...] = ("identical", "equivalent", "diverged")
_REPRODUCED: tuple[Grade, ...] = ("identical", "equivalent")


def attempt_of(grade: Grade, original: Manifest, rerun: Manifest) -> str:
    """Return what a rerun writes back to its original: ``identical, other CPU``."""
    return f"{grade}, {place_of(original, rerun)}"


def place_of(original: Manifest, rerun: Manifest) -> str:
    """Return how the machine of a rerun compares: ``same machine``, ``other GPU``, ..."""
    gpus = _gpus(original), _gpus(rerun)
    if gpus[0] != gpus[1]:
        return "other GPU"
    processors = _processor(original), _processor(rerun)
    if processors[0] != processors[1]:
        return "other CPU"
    hosts = _host(original), _host(rerun)
    return "same machine" if hosts[0] == hosts[1] and hosts[0] else "other machine"


def reproduced_line(attempts: Iterable[str]) -> str:
    """Return ``Reproduced in 3 of 4 reruns (same machine 2, other CPU 1)``.

    Inconclusive reruns and unknown entries do not count.
    """
    parts = [attempt.partition(", ")[::2] for attempt in attempts]
    counted = [(grade, place) for grade, place in parts if grade in _COUNTED]
    places = Counter(place for grade, place in counted if grade in _REPRODUCED)
    line = f"Reproduced in {places.total()} of {len(counted)} reruns"
    if not places:
        return line
    if len(places) == 1:
        return f"{line} ({next(iter(places))})"
    return f"{line} ({', '.join(f'{place} {times}' for place, times in places.most_common())})"


def _gpus(manifest: Manifest) -> tuple[str, ...]:
    accelerator = manifest.description.accelerator
    if not isinstance(accelerator, Accelerator) or isinstance(accelerator.gpus, Unavailable):
        return ()
    return tuple(gpu.name for gpu in accelerator.gpus)


def _processor(manifest: Manifest) -> tuple[str, object]:
    runtime = manifest.description.runtime
    if not isinstance(runtime, Runtime):
        return "", ()
    return str(runtime.processor.model), runtime.processor.instruction_sets


def _host(manifest: Manifest) -> str:
    machine = manifest.description.machine
    name = "" if isinstance(machine, Unavailable) else machine.hostname
    return name if isinstance(name, str) else ""
