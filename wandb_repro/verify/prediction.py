"""Predicts whether a rerun on this machine would be bit-identical, from what differs here."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from wandb_repro.manifest.base import Record
from wandb_repro.verify.finding import SEVERITY, Finding, Kind

Expected = Literal["identical", "different", "perhaps", "unknown"]
"""The bits will be the original's, will differ, may differ, or it is not known."""

How = Literal["rerun", "by hand"]

EXIT_CODES: dict[Expected, int] = {"identical": 0, "different": 1, "perhaps": 1, "unknown": 3}

_RESTORED: frozenset[Kind] = frozenset(
    {"seed", "determinism", "code", "command", "config", "switch", "threads"}
)
"""What ``rerun`` sets to the recorded values, overriding those here."""

_REBUILT: frozenset[Kind] = frozenset({"package", "framework", "interpreter"})
"""What ``rerun`` rebuilds, unless it uses an existing environment."""


class Prediction(Record):
    """The expected result of a run here, before anything runs."""

    original: str
    how: How
    """Whether ``rerun`` starts it, or a person in the current shell and environment."""
    expected: Expected
    environment: str
    """Which environment it would run in, in words."""
    findings: tuple[Finding, ...]
    """What prevents identical bits, the most severe first."""
    settled: tuple[Finding, ...]
    """Differences that ``rerun`` restores."""
    harmless: tuple[Finding, ...]
    """Differences that change no bits."""
    unknown: tuple[str, ...]
    """Facts that a prediction would need."""
    failed: str = ""
    """How the original failed, ``TypeError at train.py:9``; empty if it did not."""

    @property
    def exit_code(self) -> int:
        """Exit code of a command that predicts this."""
        return EXIT_CODES[self.expected]


def predict(
    original: str,
    how: How,
    environment: str,
    found: Iterable[Finding],
    *,
    rebuilt: bool,
    kept: frozenset[str] = frozenset(),
    unknown: tuple[str, ...] = (),
    failed: str = "",
) -> Prediction:
    """Return the prediction for a run here.

    Args:
        original: name of the original run.
        how: who starts it.
        environment: which environment it would run in, in words.
        found: every difference that was found, in any order.
        rebuilt: whether the environment is rebuilt as recorded.
        kept: facts that keep their value here although ``rerun`` could restore them.
        unknown: facts that a prediction would need.
        failed: how the original failed; empty if it did not.
    """
    ordered = sorted(found, key=lambda finding: SEVERITY[finding.effect])
    harmless = tuple(finding for finding in ordered if finding.effect == "explains")
    others = [finding for finding in ordered if finding.effect != "explains"]
    restored = tuple(
        finding for finding in others if how == "rerun" and _is_restored(finding, rebuilt, kept)
    )
    blocking = tuple(finding for finding in others if finding not in restored)
    return Prediction(
        original=original,
        how=how,
        expected=_expected(blocking, unknown),
        environment=environment,
        findings=blocking,
        settled=restored,
        harmless=harmless,
        unknown=unknown,
        failed=failed,
    )


def _is_restored(finding: Finding, rebuilt: bool, kept: frozenset[str]) -> bool:
    if finding.fact in kept or finding.effect == "stops" or not finding.here:
        return False
    return finding.kind in _RESTORED or (rebuilt and finding.kind in _REBUILT)


def _expected(blocking: tuple[Finding, ...], unknown: tuple[str, ...]) -> Expected:
    effects = {finding.effect for finding in blocking}
    if effects & {"stops", "changes bits"}:
        return "different"
    if unknown or "is not compared" in effects:
        return "unknown"
    return "perhaps" if effects else "identical"
