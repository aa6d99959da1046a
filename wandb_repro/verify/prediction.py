"""What a rerun here is expected to give, from what is recorded and what is found here. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from wandb_repro.manifest.base import Record
from wandb_repro.verify.finding import Effect, Finding, Kind

__all__ = ["EXIT_CODES", "Expected", "How", "Prediction", "predict"]

Expected = Literal["identical", "different", "perhaps", "unknown"]
"""What the bits are expected to be: the original's, others, perhaps others, or nobody can tell."""

How = Literal["rerun", "by hand"]

EXIT_CODES: dict[Expected, int] = {"identical": 0, "different": 1, "perhaps": 1, "unknown": 3}

_RESTORED: frozenset[Kind] = frozenset(
    {"seed", "determinism", "code", "command", "config", "switch", "threads"}
)
"""What ``rerun`` sets as it was recorded, whatever it is here."""

_BUILT: frozenset[Kind] = frozenset({"package", "framework", "interpreter"})
"""What it rebuilds, where it does not take an environment as it is."""

_WEIGHT: dict[Effect, int] = {
    "stops": 0,
    "changes bits": 1,
    "may change bits": 2,
    "explains": 3,
}


class Prediction(Record):
    """What was foreseen before anything ran."""

    original: str
    how: How
    """Whether ``rerun`` starts it, or a person does, in the shell and environment at hand."""
    expected: Expected
    environment: str
    """Which environment it would run in, in words."""
    findings: tuple[Finding, ...]
    """What stands in the way of identical bits, the heaviest first."""
    settled: tuple[Finding, ...]
    """What is different here and ``rerun`` restores by itself."""
    harmless: tuple[Finding, ...]
    """What is different here and changes no bits."""
    unknown: tuple[str, ...]
    """What would have to be known to tell."""

    @property
    def exit_code(self) -> int:
        """What a command that foresees this ends with."""
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
) -> Prediction:
    """Return what to expect.

    Args:
        original: name of the run.
        how: who starts it.
        environment: which environment it would run in, in words.
        found: everything that was found, in any order.
        rebuilt: whether the environment is rebuilt as it was recorded.
        kept: facts that stay as they are here although ``rerun`` could restore them.
        unknown: what would have to be known to tell.
    """
    ordered = sorted(found, key=lambda one: _WEIGHT[one.effect])
    restored = [one for one in ordered if how == "rerun" and _is_restored(one, rebuilt, kept)]
    rest = [one for one in ordered if one not in restored]
    standing = tuple(one for one in rest if one.effect != "explains")
    return Prediction(
        original=original,
        how=how,
        expected=_expected(standing, unknown),
        environment=environment,
        findings=standing,
        settled=tuple(one for one in restored if one.effect != "explains"),
        harmless=tuple(one for one in ordered if one.effect == "explains"),
        unknown=unknown,
    )


def _is_restored(finding: Finding, rebuilt: bool, kept: frozenset[str]) -> bool:
    if finding.fact in kept or finding.effect == "stops" or not finding.here:
        return False
    return finding.kind in _RESTORED or (rebuilt and finding.kind in _BUILT)


def _expected(standing: tuple[Finding, ...], unknown: tuple[str, ...]) -> Expected:
    effects = {one.effect for one in standing}
    if effects & {"stops", "changes bits"}:
        return "different"
    if unknown:
        return "unknown"
    return "perhaps" if effects else "identical"
