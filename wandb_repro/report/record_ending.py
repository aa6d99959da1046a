"""How a run ended, and in which epoch."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.manifest import Ending, Manifest
from wandb_repro.manifest.trail import Trail


def ending_text(manifest: Manifest, trail: Trail) -> str:
    """Return how a run ended: ``finished``, ``stopped by Ctrl-C in epoch 3 of 30``.

    An ending with an error has its type and its line: ``failed: TypeError at train.py:9``.
    """
    ending = manifest.ending
    if not isinstance(ending, Ending):
        return f"not known: {ending}"
    where = "" if ending.status == "finished" else _unfinished_epoch(manifest, trail)
    if ending.status == "interrupted" and ending.detail == "KeyboardInterrupt":
        return f"stopped by Ctrl-C{where}{f' at {ending.place}' if ending.place else ''}"
    return f"{ending.status}: {ending}{where}" if ending.detail else f"{ending.status}{where}"


def _unfinished_epoch(manifest: Manifest, trail: Trail) -> str:
    """Return the epoch of a training that was left: `` in epoch 3 of 30``; empty without one."""
    moments = list(trail.moments())
    fit = max((each.fit for each in moments), default=0)
    of_fit = [each for each in moments if each.fit == fit]
    if not of_fit or any(each.moment == "final" for each in of_fit):
        return ""
    planned = next(_planned_epochs(manifest, fit), 0)
    # The digest of an epoch's end counts the epoch as complete.
    epoch = max(each.epoch for each in of_fit) + 1
    return f" in epoch {epoch}{f' of {planned}' if planned >= epoch else ''}"


def _planned_epochs(manifest: Manifest, fit: int) -> Iterator[int]:
    """Yield the epochs that a ``fit`` was asked for, if they are recorded."""
    fits = manifest.description.fits
    # Settings are written if they differ from those of the fit before.
    before = [] if isinstance(fits, Unavailable) else [each for each in fits if each.fit <= fit]
    for settings in before[-1:]:
        if not isinstance(settings.arguments, Unavailable):
            epochs = settings.arguments.get("epochs")
            if isinstance(epochs, int):
                yield epochs
