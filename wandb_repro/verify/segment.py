"""A part of a training that can be replayed from its checkpoint."""

from __future__ import annotations

from typing import NamedTuple

from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.request import Beginning
from wandb_repro.manifest.trail import Checkpoint, Resumed, Trail
from wandb_repro.verify.compare_limit import Limit

__all__ = ["After", "Segment", "checkpoints_of", "segment_of"]

_ADD = "Record with wandb_repro.keras.ReproCheckpoint(folder) among the callbacks of fit."
_ADD_TO_EACH = (
    "Rerun it without --from-epoch, or record with wandb_repro.keras.ReproCheckpoint(folder) "
    "among the callbacks of every fit."
)


class After(NamedTuple):
    """What a person leaves out: so many epochs of a fit, and all fits before it."""

    epoch: int
    fit: int = 1

    def __str__(self) -> str:
        """Return it as the command line takes it."""
        return f"{self.fit}:{self.epoch}" if self.fit > 1 else str(self.epoch)


class Segment(NamedTuple):
    """From a checkpoint up to the next one, or to the end."""

    after: int
    """Epochs of its fit that it leaves out; 0: it begins with that fit."""
    until: int | None
    """Epoch that it ends with; None: the end of the training."""
    beginnings: tuple[Beginning, ...]
    """The fits that do not begin at their start, in order: the last tells where it begins."""
    fit: int = 1

    def limit(self, until_step: int | None) -> Limit:
        """Return what of the training is compared."""
        passed = tuple(one.fit for one in self.beginnings if one.is_over)
        return Limit(self.until, until_step, self.after, self.fit, passed)


def checkpoints_of(trail: Trail, fit: int = 1) -> dict[int, Checkpoint]:
    """Return what a trail says last of each epoch's checkpoint, in order.

    The one that a fit went on from is among them: the process before wrote it.
    """
    found = {
        one.epoch: Checkpoint(
            fit=fit, epoch=one.epoch, step=one.step, path=one.path, digest=one.digest
        )
        for one in trail.of(Resumed)
        if one.fit == fit
    }
    found |= {one.epoch: one for one in trail.of(Checkpoint) if one.fit == fit}
    return dict(sorted(found.items()))


def segment_of(trail: Trail, after: After | None, until: int | None) -> Segment | None:
    """Return what of a training is replayed; None where it begins at its start.

    Args:
        trail: of the original.
        after: what to leave out; None as the original did: it may itself have gone on from a
            checkpoint.
        until: epoch to end with; None the next that has a checkpoint.

    Raises:
        RefusedError: there is no such fit, or a checkpoint is missing.
        UsageError: it would end before it begins, or behind its fit.
    """
    ends = _ends(trail)
    if after is None:
        return _as_it_went_on(trail, ends, until)
    if until is not None and until <= after.epoch:
        raise UsageError(f"--until-epoch {until} does not lie behind --from-epoch {after}.")
    most = max(ends, default=1)
    if after.fit > most:
        raise RefusedError(
            f"There is no fit {after.fit}: the run recorded {most}.",
            hint="`wandb-repro show` tells which checkpoints there are.",
        )
    passed = _passed(trail, after.fit, ends)
    known = checkpoints_of(trail, after.fit)
    there = [epoch for epoch, one in known.items() if one.digest]
    if after.epoch and after.epoch not in there:
        raise RefusedError(_why_not(after, known, there), hint=_hint(trail, after.fit, there))
    end = ends.get(after.fit, _End(0, whole=False))
    _check_behind(after, until, end.epoch, is_last_fit=after.fit == most)
    following = next((epoch for epoch in there if epoch > after.epoch), None)
    ends_here = end.epoch if after.fit < most else None
    if after.fit == most and end.whole and following == end.epoch:
        following = None  # the final weights lie behind the last checkpoint: they count too
    own = (_beginning(known[after.epoch]),) if after.epoch else ()
    return Segment(after.epoch, until or following or ends_here, (*passed, *own), after.fit)


class _End(NamedTuple):
    epoch: int
    """The last that a fit recorded."""
    whole: bool
    """Whether the fit returned by itself."""


def _ends(trail: Trail) -> dict[int, _End]:
    """Return where each fit of a trail ends."""
    found: dict[int, _End] = {}
    for it in trail.moments():
        before = found.get(it.fit, _End(0, whole=False))
        found[it.fit] = _End(max(before.epoch, it.epoch), before.whole or it.moment == "final")
    return found


def _beginning(one: Checkpoint, *, is_over: bool = False) -> Beginning:
    return Beginning(
        fit=one.fit,
        epoch=one.epoch,
        checkpoint=one.path,
        checkpoint_sha256=one.digest,
        is_over=is_over,
    )


def _as_it_went_on(trail: Trail, ends: dict[int, _End], until: int | None) -> Segment | None:
    """Return what a run trained that went on from checkpoints, in each fit from where it did."""
    found = [
        _beginning(
            checkpoints_of(trail, one.fit)[one.epoch],
            is_over=ends.get(one.fit) == _End(one.epoch, whole=True),
        )
        for one in trail.of(Resumed)
    ]
    if not found:
        return None
    last = found[-1]
    if last.is_over and last.fit + 1 in ends:
        return Segment(0, until, tuple(found), last.fit + 1)
    return Segment(last.epoch, until, tuple(found), last.fit)


def _passed(trail: Trail, fit: int, ends: dict[int, _End]) -> list[Beginning]:
    """Return how the fits before one are passed over: with the checkpoint of their last epoch.

    Raises:
        RefusedError: one has none.
    """
    found: list[Beginning] = []
    for number in range(1, fit):
        end = ends.get(number, _End(0, whole=False))
        last = checkpoints_of(trail, number).get(end.epoch)
        if not end.whole:
            why = f"fit {number} did not come to its end"
        elif last is None:
            why = f"fit {number} has no checkpoint of its end, epoch {end.epoch}"
        elif not last.digest:
            why = f"the checkpoint of the end of fit {number} is not there: {last.reason}"
        else:
            found.append(_beginning(last, is_over=True))
            continue
        raise RefusedError(
            f"Fit {fit} cannot be replayed without training what comes before it: {why}.",
            hint=_ADD_TO_EACH,
        )
    return found


def _check_behind(after: After, until: int | None, last: int, *, is_last_fit: bool) -> None:
    """Raise unless something of the fit lies behind the beginning."""
    if last <= after.epoch:
        if is_last_fit:
            of_fit = f" of fit {after.fit}" if after.fit > 1 else ""
            raise RefusedError(
                f"Nothing lies behind epoch {after.epoch}{of_fit}: the record ends with it."
            )
        raise RefusedError(
            f"Nothing of fit {after.fit} lies behind epoch {after.epoch}.",
            hint=f"--from-epoch {after.fit + 1}:0 replays what comes next.",
        )
    if until is not None and until > last and not is_last_fit:
        raise UsageError(f"--until-epoch {until}: fit {after.fit} ends with epoch {last}.")


def _why_not(after: After, known: dict[int, Checkpoint], there: list[int]) -> str:
    of_fit = f" of fit {after.fit}" if after.fit > 1 else ""
    if not known:
        return f"The run recorded no checkpoints{of_fit}."
    of_it = known.get(after.epoch)
    why = f": {of_it.reason}" if of_it else ""
    names = ", ".join(map(str, there))
    return (
        f"There is no checkpoint of epoch {after.epoch}{of_fit}{why}; "
        f"there is of epoch {names or 'none'}."
    )


def _hint(trail: Trail, fit: int, there: list[int]) -> str:
    """Return what to do where a fit has not the checkpoint that was asked for."""
    if there:
        return ""
    others = sorted({one.fit for one in trail.of(Checkpoint) if one.digest} - {fit})
    if others:
        names = " and ".join(f"fit {number}" for number in others)
        return f"There are checkpoints of {names}: --from-epoch FIT:N names one."
    return _ADD
