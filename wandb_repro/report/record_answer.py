"""Whether a run can be rerun: the first line of every report on a run, and the reasons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Literal, NamedTuple

from wandb_repro.verify.finding import Effect, Finding

Tone = Literal["good", "warn", "bad"]
"""Colour of the first line; its words say the same."""


class Reasons(NamedTuple):
    """Findings with the same effect."""

    effect: Effect
    title: str
    findings: tuple[Finding, ...]


class Answer(NamedTuple):
    """Whether a run can be rerun, and the reasons."""

    tone: Tone
    sentence: str
    reasons: tuple[Reasons, ...]
    """The most severe first, none of them empty."""


_GROUPS: tuple[tuple[Effect, str], ...] = (
    ("stops", "Prevents a rerun"),
    ("changes bits", "A rerun will give other bits"),
    ("may change bits", "A rerun may give other bits"),
    ("is not compared", "A rerun cannot compare"),
    ("explains", "Good to know"),
)


def answer(findings: Sequence[Finding]) -> Answer:
    """Return the first line of every report on a run, and the reasons by severity."""
    groups = tuple(
        Reasons(effect, title, tuple(finding for finding in findings if finding.effect == effect))
        for effect, title in _GROUPS
    )
    reasons = tuple(group for group in groups if group.findings)
    tone, answer_text = _ANSWERS[reasons[0].effect if reasons else "explains"]
    return Answer(tone=tone, sentence=f"This run {answer_text}.", reasons=reasons)


_ANSWERS: Mapping[Effect, tuple[Tone, str]] = {
    "stops": ("bad", "cannot be rerun from what was recorded"),
    "changes bits": ("warn", "can be rerun from what was recorded, but not to the same bits"),
    "may change bits": (
        "warn",
        "can be rerun from what was recorded, perhaps not to the same bits",
    ),
    "is not compared": (
        "warn",
        "can be rerun from what was recorded, but not all of it can be compared",
    ),
    "explains": ("good", "can be rerun from what was recorded"),
}
