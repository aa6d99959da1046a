"""Finds the checkpoints that a partial rerun begins with."""

from __future__ import annotations

from pathlib import Path

from wandb_repro.errors import CheckpointError, RefusedError
from wandb_repro.manifest.request import Beginning
from wandb_repro.manifest.trail import Trail
from wandb_repro.store.checkpoint_file import read_checkpoint
from wandb_repro.verify.segment import Segment, segment_of
from wandb_repro.workflows.rerun_options import RerunOptions


def find_segment(trail: Trail, options: RerunOptions) -> Segment | None:
    """Return the part to replay, with the checkpoints' paths here; None to replay all of it.

    Raises:
        RefusedError: a checkpoint is missing, or is not the recorded one.
    """
    segment = segment_of(trail, options.from_epoch, options.until_epoch)
    if segment is None:
        return None
    *earlier, last = segment.beginnings
    found = _check(last, options.checkpoint or Path(last.checkpoint), options)
    folder = Path(found.checkpoint).parent
    before = [_check(fit, _path_of(fit, options, folder), options) for fit in earlier]
    return segment._replace(beginnings=(*before, found))


def _path_of(fit: Beginning, options: RerunOptions, folder: Path) -> Path:
    # If the named checkpoint was moved, those of earlier fits were moved to the same folder.
    recorded = Path(fit.checkpoint)
    was_moved = options.checkpoint is not None and not recorded.exists()
    return folder / recorded.name if was_moved else recorded


def _check(fit: Beginning, place: Path, options: RerunOptions) -> Beginning:
    path = place.absolute()
    try:
        read_checkpoint(path, fit.checkpoint_sha256)
    except CheckpointError as error:
        again = "" if options.from_epoch is not None else "The run resumed from a checkpoint. "
        raise RefusedError(
            f"{again}{error.message}",
            hint="If it was moved or copied, pass its path with --checkpoint FILE. Checkpoints of "
            "earlier fits must be in the same folder.",
        ) from error
    return fit.model_copy(update={"checkpoint": str(path)})
