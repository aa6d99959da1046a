"""A finding: something that differs or stands in the way. A value, never an exception."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import Record

__all__ = ["Effect", "Finding", "Kind", "about_one_run"]

Kind = Literal[
    "accelerator",
    "code",
    "command",
    "config",
    "data",
    "determinism",
    "ending",
    "framework",
    "interpreter",
    "machine",
    "model",
    "package",
    "processor",
    "seed",
    "switch",
    "threads",
    "unknown",
]

Effect = Literal["stops", "changes bits", "may change bits", "explains"]
"""What it can do: stop a rerun, change bits (measured or documented), perhaps, or nothing."""


class Finding(Record):
    """One thing found, with what would settle it."""

    kind: Kind
    fact: str
    """Short name of the fact, such as ``intra-op threads``."""
    original: str
    """Its value in the original; empty where it is about one run only."""
    here: str
    """Its value on the other side."""
    effect: Effect
    sentence: str
    """The whole of it in one sentence."""
    cure: str = ""
    """What would settle it; empty when nothing here can."""


def about_one_run(
    kind: Kind, fact: str, value: str, effect: Effect, sentence: str, cure: str
) -> Finding:
    """Return a finding that needs no other side."""
    return Finding(
        kind=kind, fact=fact, original=value, here="", effect=effect, sentence=sentence, cure=cure
    )
