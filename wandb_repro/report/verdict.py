"""A verdict as text."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import RenderableType

from wandb_repro.report.layout import STYLES, blank, bullets, heading, page, rows
from wandb_repro.report.verdict_rows import difference_rows, verdict_line, verdict_rows
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.tolerance import Measured, Tolerated
from wandb_repro.verify.verdict import Bisection, Verdict

__all__ = ["verdict_text"]

_SHOWN_CAUSES = 5
_SHOWN_NUMBERS = 6


def verdict_text(verdict: Verdict) -> RenderableType:
    """Return a verdict for people: the grade first, then what it rests on."""
    return page(
        heading(*verdict_line(verdict), STYLES[verdict.grade]),
        rows(verdict_rows(verdict)),
        *_bisection(verdict.bisection),
        *_tolerance(verdict.tolerance),
        *_causes(_causes_of(verdict)),
        *_reasons(verdict),
    )


def _tolerance(tolerance: Tolerated | None) -> Iterator[RenderableType]:
    """Say what was allowed, and each number that it was applied to."""
    if tolerance is None:
        return
    yield blank()
    yield heading("Tolerance", _stated(tolerance))
    if tolerance.reason:
        yield bullets([("not applied", tolerance.reason, "")])
        return
    worst = sorted(tolerance.measured, key=lambda one: one.within)
    yield bullets((_mark(one), _measured(one), "") for one in worst[:_SHOWN_NUMBERS])
    if len(worst) > _SHOWN_NUMBERS:
        yield rows([("", f"and {len(worst) - _SHOWN_NUMBERS:,} more; --json has all")])


def _stated(tolerance: Tolerated) -> str:
    parts = [f"{name} within {allowed:g}" for name, allowed in tolerance.metrics.items()]
    if tolerance.rtol is not None:
        what = "weight and metric" if tolerance.weights_at else "metric"
        parts.append(f"every {what} within {tolerance.rtol:g} of its size")
    at = tolerance.at or tolerance.weights_at
    return f"{' and '.join(parts)}{f', at {at}' if at else ''}"


def _mark(one: Measured) -> str:
    return "within" if one.within else "beyond"


def _measured(one: Measured) -> str:
    apart, allowed = float(one.apart), float(one.allowed)
    if one.of == "weights":
        return f"{one.what}: at most about {apart:.3g} apart, {allowed:.3g} allowed"
    return f"{one.what}: {one.original} and {one.rerun}, {apart:.3g} apart, {allowed:.3g} allowed"


def _bisection(found: Bisection | None) -> Iterator[RenderableType]:
    """Say at which step it differs, or why that is not known."""
    if found is None:
        return
    yield blank()
    if found.first is None:
        yield heading("Bisected", "no step is named")
        yield bullets([("-", found.reason, "")])
        return
    yield heading("Bisected", f"at {found.first.what}")
    sides = [("as recorded", found.original), ("as rerun", found.rerun)]
    yield rows([*sides, *difference_rows(found.first, found.moved)])


def _causes_of(verdict: Verdict) -> tuple[Finding, ...]:
    """Return the causes as they are ranked where most is known of the difference."""
    known = verdict.bisection
    return known.causes if known is not None and known.causes else verdict.causes


def _causes(causes: tuple[Finding, ...]) -> Iterator[RenderableType]:
    if not causes:
        return
    shown = causes[:_SHOWN_CAUSES]
    yield blank()
    yield heading("Likeliest cause first")
    yield bullets((cause.effect, cause.sentence, cause.cure) for cause in shown)
    if len(causes) > len(shown):
        yield rows([("", f"and {len(causes) - len(shown)} less likely; --json has all")])


def _reasons(verdict: Verdict) -> Iterator[RenderableType]:
    if verdict.reasons:
        yield blank()
        yield heading("Why")
        yield bullets(("-", reason, "") for reason in verdict.reasons)
