"""Compares how two runs ended: a failure is repeated, too, if it comes from the same line."""

from __future__ import annotations

from typing import TYPE_CHECKING

from wandb_repro.manifest.base import Record, Unavailable
from wandb_repro.manifest.manifest import Ending, Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.verify.outcome import OutputDifference

if TYPE_CHECKING:
    from wandb_repro.verify.trail_diff import Comparison

_NO_END = "no end record"


class Endings(Record):
    """How two runs ended."""

    original: str
    """In words: ``finished``, ``TypeError at train.py:9``, ``exit code 3 at train.py:20``."""
    rerun: str
    alike: bool | None
    """Whether both ended in the same way and at the same line; None if that is not known."""
    rerun_failed: bool = False
    """Whether the rerun failed and the original did not, or failed only later."""


class EndingComparison:
    """How two runs ended, from their records and trails."""

    def __init__(self, original: tuple[Manifest, Trail], rerun: tuple[Manifest, Trail]) -> None:
        self._original, self._rerun = _ending(*original), _ending(*rerun)
        self._steps = _steps(original[1]), _steps(rerun[1])
        self.alike = _alike(self._original, self._rerun)
        """Whether both ended in the same way; None if that is not known."""
        self._is_behind = self._is_ahead = False

    @property
    def stopped_alike(self) -> bool:
        """Whether both were stopped before their last line, in the same way."""
        return bool(self.alike) and bool(self._original and self._original.detail)

    def reached(self, found: Comparison) -> bool:
        """Take into account how far both came; tell whether they are still alike.

        Two runs that raise the same error in different epochs are not.
        """
        original, rerun = self._steps
        if not (self.alike and self._original and self._original.status == "finished"):
            self._is_behind = found.is_behind or rerun < original
            self._is_ahead = found.is_ahead or rerun > original
            if self.alike and (self._is_behind or self._is_ahead):
                self.alike = False
        return self.alike is True

    @property
    def rerun_failed(self) -> bool:
        """Whether the rerun failed and the original did not, or failed only later."""
        original, rerun = self._original, self._rerun
        if self.alike or rerun is None or rerun.status != "failed":
            return False
        return self._is_behind or original is None or original.status != "failed"

    @property
    def record(self) -> Endings:
        """The record of this comparison."""
        return Endings(
            original=_words(self._original),
            rerun=_words(self._rerun),
            alike=self.alike,
            rerun_failed=self.rerun_failed,
        )

    def difference(self) -> tuple[OutputDifference, ...]:
        """Return the difference if the script itself ended the runs, and in different ways.

        An interruption comes from outside and a killed run has no end: neither is a result.
        """
        original, rerun = self._original, self._rerun
        if self.alike is not False or self.rerun_failed or original is None or rerun is None:
            return ()
        if original.status != "failed" or rerun.status == "interrupted":
            return ()
        later = " later" if self._is_ahead and _words(original) == _words(rerun) else ""
        difference = OutputDifference(
            what="ending",
            key="ending",
            where="",
            original=_words(original),
            rerun=f"{_words(rerun)}{later}",
        )
        return (difference,)

    def reasons(self) -> list[str]:
        """Return why equal digests do not prove the runs identical; empty if both ended alike."""
        if self.alike:
            return []
        if self.rerun_failed:
            words = _words(self._original)
            original = {"finished": "finished", _NO_END: f"has {_NO_END}"}.get(
                words, f"came further and ended with {words}"
            )
            return [f"the rerun failed with {_words(self._rerun)}; the original {original}"]
        if self.alike is None and self._original and self._rerun:
            return [
                f"both runs ended with {_words(self._original, place=False)}, but a record of an "
                "older version does not say at which line"
            ]
        sides = (("the original", self._original), ("the rerun", self._rerun))
        reasons = [reason for who, ending in sides if (reason := _why_partial(who, ending))]
        return [f"{reason}; --until-epoch compares its first epochs" for reason in reasons]


def _ending(manifest: Manifest, trail: Trail) -> Ending | None:
    """Return how a run ended; None if it was killed or is still running."""
    end = trail.end
    if end is None or trail.torn:
        return None
    ending = manifest.ending
    if isinstance(ending, Unavailable) or ending.status != end.status:
        return Ending(status=end.status)
    return ending


def _steps(trail: Trail) -> int:
    """Return how many steps all optimizers had made at the end."""
    inventory = trail.inventory
    return sum(thing.steps or 0 for thing in inventory.things) if inventory else 0


def _alike(original: Ending | None, rerun: Ending | None) -> bool | None:
    if original is None or rerun is None:
        return None
    if original.status == "finished" or rerun.status == "finished":
        return original.status == rerun.status
    one, two = ((ending.status, ending.detail) for ending in (original, rerun))
    if one != two:
        return False
    # A fit that was left open by an exception that the script caught: nothing ended the script.
    if original.status == "interrupted" and not original.detail:
        return True
    if not all("place" in ending.model_fields_set for ending in (original, rerun)):
        return None
    return (original.place, original.exit_code) == (rerun.place, rerun.exit_code)


def _why_partial(who: str, ending: Ending | None) -> str:
    if ending is None:
        return f"{who} has no end record: it was killed or is still running"
    if ending.status == "interrupted":
        by = f" by {ending}" if ending.place else ""
        return f"{who} did not finish: it was interrupted{by}"
    if ending.status == "failed":
        return f"{who} did not finish: it ended with {_words(ending)}"
    return ""


def _words(ending: Ending | None, *, place: bool = True) -> str:
    if ending is None:
        return _NO_END
    if not ending.detail and ending.status == "failed":
        return "an error"
    if ending.detail == "RerunStopped":
        return ending.status
    return str(ending if place else ending.model_copy(update={"place": ""}))
