"""A finding: a difference, or a reason why a run cannot be rerun. A value, never an exception."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import Record

Kind = Literal[
    "command",
    "config",
    "ending",
    "machine",
    "code",
    "interpreter",
    "package",
    "framework",
    "threads",
    "processor",
    "switch",
    "accelerator",
    "seed",
    "determinism",
    "model",
    "data",
    "unknown",
    "result",
]
"""In the order of a card's sections. ``result``: what came out differs, which is no cause."""

Effect = Literal["stops", "changes bits", "may change bits", "is not compared", "explains"]
"""What it does: stops a rerun; changes bits (measured or documented); may change them; trained and
is compared by no rerun; or only explains."""

SEVERITY: dict[Effect, int] = {
    "stops": 0,
    "changes bits": 1,
    "may change bits": 2,
    "is not compared": 3,
    "explains": 4,
}
"""Findings are sorted by this number, the most severe first."""


class Finding(Record):
    """One difference or obstacle, with what to do about it."""

    kind: Kind
    fact: str
    """Short name of the fact, such as ``intra-op threads``."""
    original: str
    """The original's value, or the only one if it is about one run."""
    here: str
    """The other run's value; empty if it is about one run only."""
    effect: Effect
    sentence: str
    """The finding in one sentence."""
    cure: str = ""
    """What to do about it; empty if nothing can be done here."""


def about_one_run(
    kind: Kind, fact: str, value: str, effect: Effect, sentence: str, cure: str = ""
) -> Finding:
    """Return a finding about a single run."""
    return Finding(
        kind=kind, fact=fact, original=value, here="", effect=effect, sentence=sentence, cure=cure
    )
