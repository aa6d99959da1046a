"""The part of a training that a rerun replays from a checkpoint."""

from __future__ import annotations

from typing import NamedTuple

from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.request import Beginning
from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Checkpoint, Resumed
from wandb_repro.verify.compare_limit import Limit

_ADD = (
    "To record checkpoints, pass wandb_repro.keras.ReproCheckpoint(folder) to fit as a callback, "
    "or checkpoint=folder to wandb_repro.watch."
)
_ADD_TO_EACH = (
    "Rerun without --from-epoch, or record again with checkpoints of every fit and loop: "
    "wandb_repro.keras.ReproCheckpoint(folder), wandb_repro.watch(..., checkpoint=folder)."
)


class After(NamedTuple):
    """Where to begin: after this epoch of a fit. Fits before it are left out."""

    epoch: int
    fit: int = 1

    def __str__(self) -> str:
        """Return it as ``--from-epoch`` takes it: ``3``, ``2:3``."""
        return f"{self.fit}:{self.epoch}" if self.fit > 1 else str(self.epoch)


class Segment(NamedTuple):
    """From a checkpoint up to the next one, or to the end."""

    after: int
    """Epochs of its fit that it leaves out; 0: it begins with that fit."""
    until: int | None
    """Epoch that it ends with; None: the end of the training."""
    beginnings: tuple[Beginning, ...]
    """The fits that do not begin at their start, in order; the segment begins with the last."""
    fit: int = 1

    def limit(self, until_step: int | None) -> Limit:
        """Return the part of the training that is compared."""
        passed = tuple(beginning.fit for beginning in self.beginnings if beginning.is_over)
        return Limit(self.until, until_step, self.after, self.fit, passed)


def checkpoints_of(trail: Trail, fit: int = 1) -> dict[int, Checkpoint]:
    """Return the last record of each epoch's checkpoint, by epoch, in order.

    Includes the checkpoint that a fit resumed from, which an earlier process wrote.
    """
    found = {
        record.epoch: Checkpoint(
            fit=fit, epoch=record.epoch, step=record.step, path=record.path, digest=record.digest
        )
        for record in trail.of(Resumed)
        if record.fit == fit
    }
    found |= {record.epoch: record for record in trail.of(Checkpoint) if record.fit == fit}
    return dict(sorted(found.items()))


def segment_of(trail: Trail, after: After | None, until: int | None) -> Segment | None:
    """Return the part of a training to replay; None for all of it.

    Args:
        trail: of the original.
        after: where to begin; None to begin like the original, possibly at a checkpoint.
        until: epoch to end with; None for the next that has a checkpoint.

    Raises:
        RefusedError: no such fit, or a checkpoint is missing.
        UsageError: it would end before it begins, or after its fit.
    """
    ends = _ends(trail)
    if after is None:
        return _as_resumed(trail, ends, until)
    if until is not None and until <= after.epoch:
        raise UsageError(f"--until-epoch {until} must come after --from-epoch {after}.")
    fits = max(ends, default=1)
    if after.fit > fits:
        raise RefusedError(
            f"No fit {after.fit}: the run called fit {'once' if fits == 1 else f'{fits} times'}.",
            hint="`wandb-repro show` lists the checkpoints.",
        )
    skipped = _skipped_fits(trail, after.fit, ends)
    known = checkpoints_of(trail, after.fit)
    saved = [epoch for epoch, checkpoint in known.items() if checkpoint.digest]
    if after.epoch and after.epoch not in saved:
        raise RefusedError(_no_checkpoint(after, known, saved), hint=_hint(trail, after.fit, saved))
    end = ends.get(after.fit, _NO_END)
    _check_not_empty(after, until, end.epoch, is_last_fit=after.fit == fits)
    following = next((epoch for epoch in saved if epoch > after.epoch), None)
    ends_here = end.epoch if after.fit < fits else None
    if after.fit == fits and end.complete and following == end.epoch:
        following = None  # the final weights come after the last checkpoint: compare them too
    if after.epoch:
        skipped.append(_beginning(known[after.epoch]))
    return Segment(after.epoch, until or following or ends_here, tuple(skipped), after.fit)


class _End(NamedTuple):
    epoch: int
    """The last epoch that a fit recorded."""
    complete: bool
    """Whether the fit returned normally."""


_NO_END = _End(0, complete=False)


def _ends(trail: Trail) -> dict[int, _End]:
    found: dict[int, _End] = {}
    for weights in trail.moments():
        before = found.get(weights.fit, _NO_END)
        epoch, is_final = max(before.epoch, weights.epoch), weights.moment == "final"
        found[weights.fit] = _End(epoch, before.complete or is_final)
    return found


def _beginning(checkpoint: Checkpoint, *, is_over: bool = False) -> Beginning:
    return Beginning(
        fit=checkpoint.fit,
        epoch=checkpoint.epoch,
        checkpoint=checkpoint.path,
        checkpoint_sha256=checkpoint.digest,
        is_over=is_over,
    )


def _as_resumed(trail: Trail, ends: dict[int, _End], until: int | None) -> Segment | None:
    """Return the part that a resumed run trained itself; None if it did not resume."""
    found = [
        _beginning(
            checkpoints_of(trail, resumed.fit)[resumed.epoch],
            is_over=ends.get(resumed.fit) == _End(resumed.epoch, complete=True),
        )
        for resumed in trail.of(Resumed)
    ]
    if not found:
        return None
    last = found[-1]
    if last.is_over and last.fit + 1 in ends:
        return Segment(0, until, tuple(found), last.fit + 1)
    return Segment(last.epoch, until, tuple(found), last.fit)


def _skipped_fits(trail: Trail, fit: int, ends: dict[int, _End]) -> list[Beginning]:
    """Return how earlier fits are skipped: with the checkpoint of their last epoch.

    Raises:
        RefusedError: an earlier fit has no checkpoint of its last epoch.
    """
    found: list[Beginning] = []
    for number in range(1, fit):
        end = ends.get(number, _NO_END)
        last = checkpoints_of(trail, number).get(end.epoch)
        if not end.complete:
            why = f"fit {number} did not finish"
        elif last is None:
            why = f"fit {number} has no checkpoint of its last epoch, {end.epoch}"
        elif not last.digest:
            why = f"the last checkpoint of fit {number} is missing: {last.reason}"
        else:
            found.append(_beginning(last, is_over=True))
            continue
        raise RefusedError(
            f"Fit {fit} cannot be replayed without training the fits before it: {why}.",
            hint=_ADD_TO_EACH,
        )
    return found


def _check_not_empty(after: After, until: int | None, last: int, *, is_last_fit: bool) -> None:
    """Raise unless the fit trained something after the beginning."""
    if last <= after.epoch:
        if is_last_fit:
            of_fit = f" of fit {after.fit}" if after.fit > 1 else ""
            raise RefusedError(f"The record ends with epoch {after.epoch}{of_fit}.")
        raise RefusedError(
            f"Fit {after.fit} ends with epoch {after.epoch}.",
            hint=f"--from-epoch {after.fit + 1}:0 replays the next fit.",
        )
    if until is not None and until > last and not is_last_fit:
        raise UsageError(f"--until-epoch {until}: fit {after.fit} ends with epoch {last}.")


def _no_checkpoint(after: After, known: dict[int, Checkpoint], saved: list[int]) -> str:
    of_fit = f" of fit {after.fit}" if after.fit > 1 else ""
    if not known:
        return f"The run recorded no checkpoints{of_fit}."
    missing = known.get(after.epoch)
    why = f": {missing.reason}" if missing else ""
    epochs = ", ".join(map(str, saved))
    others = f"checkpoints exist of epoch {epochs}" if saved else "no checkpoint exists"
    return f"No checkpoint of epoch {after.epoch}{of_fit}{why}; {others}."


def _hint(trail: Trail, fit: int, saved: list[int]) -> str:
    """Return what to do if a fit does not have the requested checkpoint."""
    if saved:
        return ""
    others = sorted({record.fit for record in trail.of(Checkpoint) if record.digest} - {fit})
    if others:
        names = " and ".join(f"fit {number}" for number in others)
        return f"Checkpoints exist of {names}: name one with --from-epoch FIT:N."
    return _ADD
