"""Compares what two scripts put into W&B's config after ``init``: that came out of the run."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import NamedTuple

from wandb_repro.manifest.base import JSON, Unavailable
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.volatile import is_volatile
from wandb_repro.manifest.volatile_files import differ_in_time
from wandb_repro.verify.outcome import OutputDifference
from wandb_repro.verify.value_diff import ABSENT


class ComparedConfig(NamedTuple):
    """What is known of the values that two scripts set."""

    differences: tuple[OutputDifference, ...] = ()
    volatile: tuple[str, ...] = ()
    """Names of values that differ and may: clocks, ids and paths, by name or content."""


def config_differences(
    original: Manifest, rerun: Manifest, patterns: Sequence[str] = ()
) -> ComparedConfig:
    """Compare each config value that either script set after ``init``.

    What is in the config when ``init`` returns is an input: a rerun restores it.

    Args:
        original: record of the run that was repeated.
        rerun: record of the other.
        patterns: names of further values that are volatile, as the shell writes them.
    """
    left, right = original.description.config, rerun.description.config
    if isinstance(left, Unavailable) or isinstance(right, Unavailable):
        return ComparedConfig()
    found: list[OutputDifference] = []
    volatile: list[str] = []
    ids = (original.run.id, rerun.run.id)
    for name in sorted(_set_later(original) | _set_later(rerun)):
        values = tuple(
            _written(config[name]) if name in config else ABSENT for config in (left, right)
        )
        if values[0] == values[1]:
            continue
        if is_volatile(name, patterns) or _may_differ(left.get(name), right.get(name), ids):
            volatile.append(f"config.{name}")
        else:
            found.append(_difference(name, *values))
    return ComparedConfig(tuple(found), tuple(volatile))


def _set_later(manifest: Manifest) -> set[str]:
    at_init, at_end = manifest.execution.config, manifest.description.config
    if isinstance(at_init, Unavailable) or isinstance(at_end, Unavailable):
        return set()
    return {
        name
        for name, value in at_end.items()
        if name not in at_init or _written(value) != _written(at_init[name])
    }


def _written(value: JSON) -> str:
    """Return a value as JSON, which shows each bit of a number."""
    return json.dumps(value, sort_keys=True)


def _may_differ(original: JSON, rerun: JSON, ids: tuple[str, str]) -> bool:
    """Tell whether two values are paths, or texts that differ only in times and ids."""
    if any(map(_is_path, (original, rerun))):
        return True
    if not isinstance(original, str) or not isinstance(rerun, str):
        return False
    return differ_in_time(original, rerun, ids)


def _is_path(value: JSON) -> bool:
    # A rerun has its source tree and its run's folder in other places.
    return isinstance(value, str) and ("/" in value or "\\" in value)


def _difference(name: str, original: str, rerun: str) -> OutputDifference:
    return OutputDifference(what="config", key=name, where="", original=original, rerun=rerun)
