"""Runs that stopped and went on: the part that two of them share, and what was not restored."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.trail import Trail
from wandb_repro.manifest.trail_records import Resumed
from wandb_repro.verify.compare_limit import Limit
from wandb_repro.verify.finding import Effect, Finding
from wandb_repro.verify.joined_fits import Joined, joined

CONTINUED = "continued"
"""The fact of a finding about a continued run."""
_SIDES = ("original", "rerun")


def common_part(original: Trail, rerun: Trail) -> Limit | None:
    """Return the part that both have, if one went on from a checkpoint; None if they have it all.

    A run that went on has only what it trained after its checkpoint. Where both did, the part
    begins where the later of them went on.
    """
    both = [_last(trail) for trail in (original, rerun)]
    places = [(resumed.fit, resumed.epoch) if resumed else (0, 0) for resumed in both]
    if places[0] == places[1]:
        return None
    later = 1 if places[1] > places[0] else 0
    fit, epoch = places[later]
    return Limit(after=epoch, fit=fit, continued=_SIDES[later])


def _last(trail: Trail) -> Resumed | None:
    """Return where a run went on the last time; None if it did not."""
    found = list(trail.of(Resumed))
    return found[-1] if found else None


def continuations(original: Trail, rerun: Trail) -> Iterator[Finding]:
    """Yield how two runs differ in where they went on, and what a checkpoint did not restore."""
    ends = [_last(trail) for trail in (original, rerun)]
    places = [_place(resumed) for resumed in ends]
    for who, resumed in zip(_SIDES, ends, strict=True):
        for inexact in resumed.inexact if resumed else ():
            what, _, cure = inexact.partition("; ")
            sentence = f"The {who} continued {_place(resumed)}, not exactly: {what}"
            yield _continued(places, "changes bits", sentence, cure)
    for joint in joined(original, rerun)[2]:
        yield _of_joined(joint)
    if places[0] != places[1] and not any(resumed and resumed.inexact for resumed in ends):
        sentence = f"The original trained {places[0]}, the rerun {places[1]}"
        yield _continued(places, "explains", sentence)


def _of_joined(joint: Joined) -> Finding:
    names = [f"fit {joint.one}", f"fits {', '.join(map(str, joint.fits))}"]
    sentence = str(joint)
    places = names if joint.in_rerun else names[::-1]
    return _continued(places, "explains", f"{sentence[0].upper()}{sentence[1:]}")


def _continued(places: list[str], effect: Effect, sentence: str, cure: str = "") -> Finding:
    original, here = places
    return Finding(
        kind="ending",
        fact=CONTINUED,
        original=original,
        here=here,
        effect=effect,
        sentence=sentence,
        cure=cure,
    )


def _place(resumed: Resumed | None) -> str:
    if resumed is None:
        return "without a stop"
    of_fit = f" of fit {resumed.fit}" if resumed.fit > 1 else ""
    return f"from epoch {resumed.epoch}{of_fit}"
