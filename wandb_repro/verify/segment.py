"""A part of a training that can be replayed from its checkpoint."""

from __future__ import annotations

from typing import NamedTuple

from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.trail import Checkpoint, Resumed, Trail

__all__ = ["Segment", "checkpoints_of", "segment_of"]

_ADD = "Record with wandb_repro.keras.ReproCheckpoint(folder) among the callbacks of fit."


class Segment(NamedTuple):
    """From a checkpoint up to the next one, or to the end."""

    after: int
    """Epochs that the checkpoint has behind it."""
    until: int | None
    """Epoch that it ends with; None: the end of the training."""
    path: str
    digest: str
    """SHA-256 of the checkpoint."""


def checkpoints_of(trail: Trail, fit: int = 1) -> dict[int, Checkpoint]:
    """Return what a trail says last of each epoch's checkpoint, in order."""
    found = {one.epoch: one for one in trail.of(Checkpoint) if one.fit == fit}
    return dict(sorted(found.items()))


def segment_of(trail: Trail, after: int | None, until: int | None) -> Segment | None:
    """Return what of a training is replayed; None where it begins at its start.

    Args:
        trail: of the original.
        after: epochs to leave out; None as the original did: it may itself have gone on from a
            checkpoint.
        until: epoch to end with; None the next that has a checkpoint.

    Raises:
        RefusedError: there is no such checkpoint.
        UsageError: it would end before it begins.
    """
    if after is None:
        went_on = next((one for one in trail.of(Resumed) if one.fit == 1), None)
        return Segment(went_on.epoch, until, went_on.path, went_on.digest) if went_on else None
    if until is not None and until <= after:
        raise UsageError(f"--until-epoch {until} does not lie behind --from-epoch {after}.")
    known = checkpoints_of(trail)
    there = [epoch for epoch, one in known.items() if one.digest]
    if after not in there:
        raise RefusedError(_why_not(after, known, there), hint="" if there else _ADD)
    last = max((it.epoch for it in trail.moments() if it.fit == 1), default=0)
    if last <= after:
        raise RefusedError(f"Nothing lies behind epoch {after}: the record ends with it.")
    following = next((epoch for epoch in there if epoch > after), None)
    return Segment(after, until or following, known[after].path, known[after].digest)


def _why_not(after: int, known: dict[int, Checkpoint], there: list[int]) -> str:
    if not known:
        return "The run recorded no checkpoints."
    of_it = known.get(after)
    why = f": {of_it.reason}" if of_it else ""
    names = ", ".join(map(str, there))
    return f"There is no checkpoint of epoch {after}{why}; there is of epoch {names or 'none'}."
