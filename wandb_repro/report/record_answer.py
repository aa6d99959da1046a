"""Whether a run can be rerun: the first line of every report on it, and the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from wandb_repro.verify.finding import Effect, Finding

__all__ = ["Answer", "Reasons", "Tone", "answer"]


Tone = Literal["good", "warn", "bad"]
"""What a first line is coloured by, beside what it says."""


class Reasons(NamedTuple):
    """Findings of one weight."""

    effect: Effect
    title: str
    findings: tuple[Finding, ...]


class Answer(NamedTuple):
    """Whether a run may be rerun, and what stands in the way or is good to know."""

    tone: Tone
    sentence: str
    reasons: tuple[Reasons, ...]
    """The heaviest first, none of them empty."""


_GROUPS: tuple[tuple[Effect, str], ...] = (
    ("stops", "In the way of a rerun"),
    ("changes bits", "A rerun will have other bits"),
    ("may change bits", "A rerun may have other bits"),
    ("explains", "Good to know"),
)


def answer(findings: Sequence[Finding]) -> Answer:
    """Return the first line of every report of a run, and the reasons by their weight."""
    groups = tuple(
        Reasons(effect, title, tuple(one for one in findings if one.effect == effect))
        for effect, title in _GROUPS
    )
    reasons = tuple(group for group in groups if group.findings)
    tone, told = _ANSWERS[reasons[0].effect if reasons else "explains"]
    return Answer(tone=tone, sentence=f"This run {told}.", reasons=reasons)


_ANSWERS: Mapping[Effect, tuple[Tone, str]] = {
    "stops": ("bad", "cannot be rerun from what was recorded"),
    "changes bits": ("warn", "can be rerun from what was recorded, but not to the same bits"),
    "may change bits": (
        "warn",
        "can be rerun from what was recorded, perhaps not to the same bits",
    ),
    "explains": ("good", "can be rerun from what was recorded"),
}
