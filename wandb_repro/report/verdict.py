"""A verdict as text, and its evidence as rows, which the card also shows."""

from __future__ import annotations

import math
from collections.abc import Iterator

from rich.console import RenderableType

from wandb_repro.report.coverage_text import coverage_line
from wandb_repro.report.layout import STYLES, blank, bullets, heading, listing, more, page, rows
from wandb_repro.report.text import count
from wandb_repro.verify.distance import Distance
from wandb_repro.verify.ending_diff import Endings
from wandb_repro.verify.first_cause import FirstCause
from wandb_repro.verify.outcome import OutputDifference
from wandb_repro.verify.tolerance import MeasuredDifference, ToleranceResult
from wandb_repro.verify.verdict import Bisection, Grade, Verdict
from wandb_repro.verify.weights_diff import DifferentLeaf, FirstDifference

_SHOWN_CAUSES = 5
_SHOWN_NUMBERS = 6


def verdict_text(verdict: Verdict) -> RenderableType:
    """Return a verdict for people: the grade first, then the evidence."""
    return page(
        heading(*verdict_line(verdict), STYLES[verdict.grade]),
        rows(verdict_rows(verdict)),
        *_bisection(verdict.bisection),
        *_tolerance(verdict.tolerance),
        *_causes(verdict),
        *listing("Why", (("-", reason, "") for reason in verdict.reasons)),
    )


def _tolerance(tolerance: ToleranceResult | None) -> Iterator[RenderableType]:
    """Yield the tolerance, and each number that was compared."""
    if tolerance is None:
        return
    yield blank()
    yield heading("Tolerance", _stated(tolerance))
    if tolerance.reason:
        yield bullets([("not applied", tolerance.reason, "")])
        return
    worst = sorted(tolerance.measured, key=lambda number: number.within)[:_SHOWN_NUMBERS]
    yield bullets(
        ("within" if number.within else "beyond", _measured(number), "") for number in worst
    )
    yield from more(len(tolerance.measured) - _SHOWN_NUMBERS)


def _stated(tolerance: ToleranceResult) -> str:
    parts = [f"{name} within {allowed:g}" for name, allowed in tolerance.metrics.items()]
    if tolerance.rtol is not None:
        kinds = ["weight"] if tolerance.weights_at else []
        kinds += ["metric"] if tolerance.at or not kinds else []
        kinds += (
            ["last logged value"] if any(it.of == "logged" for it in tolerance.measured) else []
        )
        what = ", ".join(kinds[:-1]) + " and " * (len(kinds) > 1) + kinds[-1]
        parts.append(f"every {what} within a relative {tolerance.rtol:g}")
    at = tolerance.at or tolerance.weights_at
    return f"{' and '.join(parts)}{f', at {at}' if at else ''}"


def _measured(number: MeasuredDifference) -> str:
    difference, allowed = float(number.apart), float(number.allowed)
    if number.of == "weights":
        return f"{number.what}: difference at most about {difference:.3g}, allowed {allowed:.3g}"
    values = f"{number.original} and {number.rerun}"
    name = f"logged {number.what}" if number.of == "logged" else number.what
    if math.isnan(difference) and number.of == "logged":
        return f"{name}: {values}"
    return f"{name}: {values}, difference {difference:.3g}, allowed {allowed:.3g}"


def _bisection(found: Bisection | None) -> Iterator[RenderableType]:
    """Yield the step at which the runs first differ, or why it is unknown."""
    if found is None:
        return
    if found.first is None:
        yield from listing("Bisected", [("-", found.reason, "")], rest="step not found")
        return
    yield blank()
    yield heading("Bisected", f"at {found.first.what}")
    sides = [("as recorded", found.original), ("as rerun", found.rerun)]
    yield rows([*sides, *difference_rows(found.first, found.moved)])


def _causes(verdict: Verdict) -> Iterator[RenderableType]:
    # More is known at a bisected step than at the end of its epoch.
    bisected = verdict.bisection.causes if verdict.bisection else ()
    causes = bisected or verdict.causes
    items = ((cause.effect, cause.sentence, cause.cure) for cause in causes[:_SHOWN_CAUSES])
    yield from listing("Likely causes, most likely first", items)
    yield from more(len(causes) - _SHOWN_CAUSES, "less likely")


_SHOWN_LEAVES = 8


def verdict_line(verdict: Verdict) -> tuple[Grade, str]:
    """Return the grade and a short explanation: ``("diverged", "at step 1 (epoch 1)")``."""
    return verdict.grade, _subject(verdict)


def _subject(verdict: Verdict) -> str:
    if verdict.first is not None:
        at = f"at {verdict.first.what}"
        within = "within the stated tolerance; bits differ "
        return within + at if verdict.grade == "equivalent" else at
    endings = verdict.endings
    if verdict.grade == "equivalent":
        return f"within the stated tolerance; bits differ in what came out, {verdict.outputs[0]}"
    if verdict.grade == "inconclusive" and endings and endings.rerun_failed:
        return f"so far equal; the rerun failed with {endings.rerun}"
    if verdict.outputs and verdict.outputs[0].what == "ending":
        return f"in how they ended: {verdict.outputs[0]}; all that was compared is equal"
    if verdict.outputs:
        return f"in what came out, {verdict.outputs[0]}; the weights are equal"
    if verdict.grade == "identical" and endings and endings.original != "finished":
        return _up_to_the_end(endings)
    if verdict.grade == "identical":
        return f"up to {verdict.scope}" if verdict.scope else "bit for bit"
    if verdict.covers.rows and not verdict.digests:
        return "what was logged is equal; no weights were compared"
    return "too little evidence"


def _up_to_the_end(endings: Endings) -> str:
    if endings.original == "interrupted":  # by an exception in a fit that the script caught
        return "bit for bit"
    what = "interruption" if endings.original.startswith("KeyboardInterrupt") else "failure"
    return f"up to the {what}: both ended with {endings.original}"


def verdict_rows(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield the evidence for a verdict as names and values."""
    yield "original", verdict.original
    yield "rerun", verdict.rerun
    yield "compared", f"{count(verdict.digests, 'digest')} at {count(verdict.moments, 'moment')}"
    yield "covers", coverage_line(verdict.covers)
    for joint in verdict.joined:
        yield "as one fit", joint
    if verdict.first is not None:
        yield from difference_rows(verdict.first, verdict.moved)
    elif verdict.grade == "identical":
        yield "weights", verdict.final_weights
    elif verdict.endings and verdict.endings.rerun_failed:
        yield "equal until", verdict.last_equal or "nothing was compared"
    yield from _ended(verdict)
    yield "metrics", _metrics(verdict)
    yield from _outputs(_outputs_to_show(verdict))
    if verdict.covers.volatile:
        yield "volatile", f"not compared: {', '.join(verdict.covers.volatile)}"
    if verdict.distance is not None:
        yield "weights", _distance(verdict.distance)


def _ended(verdict: Verdict) -> Iterator[tuple[str, str]]:
    """Yield how the two runs ended, unless both finished or the rerun was stopped early."""
    endings = verdict.endings
    if endings is None or endings.original == endings.rerun == "finished":
        return
    if endings.alike:
        both = endings.original
        yield "ended", "both interrupted" if both == "interrupted" else f"both with {both}"
    elif endings.alike is None and not endings.rerun_failed:
        return  # the reasons say it
    elif verdict.first is None or endings.original != "finished":
        yield "ended", f"the original: {endings.original}; the rerun: {endings.rerun}"


_SHOWN_OUTPUTS = 6


def _outputs_to_show(verdict: Verdict) -> tuple[OutputDifference, ...]:
    """Return what came out otherwise; not what follows from other weights anyway."""
    hidden = ("ending",) if verdict.first is None else ("ending", "loss", "metric")
    return tuple(output for output in verdict.outputs if output.what not in hidden)


def _outputs(outputs: tuple[OutputDifference, ...]) -> Iterator[tuple[str, str]]:
    """Yield what came out otherwise, one line for each name."""
    for index, output in enumerate(outputs[:_SHOWN_OUTPUTS]):
        places = f" ({count(output.places, 'place')})" if output.places > 1 else ""
        yield "" if index else "came out", f"{output}{places}"
    if len(outputs) > _SHOWN_OUTPUTS:
        yield "", f"and {len(outputs) - _SHOWN_OUTPUTS:,} more; --json has all"


def _distance(found: Distance) -> str:
    """Return how far apart the weights are, relative to their size."""
    farthest = found.farthest
    at = "the start" if found.at.startswith("the initial weights") else found.at
    if farthest.part == 0:
        return f"equal at {at}; not compared after the first difference"
    if math.isinf(farthest.part):
        return f"no distance at {at}: {farthest.label} has infinite or NaN elements, or is all 0"
    overall = float(found.apart) / float(found.size)
    return (
        f"relative difference about {overall:.1g} at {at}; largest {farthest.part:.1g} in "
        f"{farthest.label}"
    )


def difference_rows(first: FirstDifference, moved: FirstCause | None) -> Iterator[tuple[str, str]]:
    """Yield the first difference of two runs, as names and values."""
    yield "equal until", first.last_equal or "no earlier point was compared"
    if first.structure:
        yield "models", first.structure
        return
    yield "first cause", moved.sentence if moved is not None else ""
    yield "first tensor", _leaf(first.leaves[0]) if first.leaves else ""
    yield "in total", f"{len(first.leaves)} of {count(first.of_leaves, 'variable')} differ there"
    yield from _others(first.leaves[1:])


def _others(leaves: tuple[DifferentLeaf, ...]) -> Iterator[tuple[str, str]]:
    """Yield the variables after the first, in the model's order."""
    for index, leaf in enumerate(leaves[:_SHOWN_LEAVES]):
        yield "" if index else "also", _leaf(leaf)
    if len(leaves) > _SHOWN_LEAVES:
        yield "", f"and {len(leaves) - _SHOWN_LEAVES:,} more; --json has all"


def _leaf(leaf: DifferentLeaf) -> str:
    return f"{leaf.label} {list(leaf.shape)}, {leaf.group}"


def _metrics(verdict: Verdict) -> str:
    if not verdict.metric_epochs:
        return ""
    epochs = count(verdict.metric_epochs, "epoch")
    if verdict.metrics_equal_bits == verdict.metric_epochs:
        return f"identical in every bit, {epochs}"
    if verdict.metrics_equal_printed == verdict.metric_epochs:
        return f"look the same when printed, {epochs}; only their bits differ"
    different = verdict.metric_epochs - verdict.metrics_equal_printed
    if different == verdict.metric_epochs:
        return f"differ in all {epochs}" if different > 1 else "differ in the only epoch"
    return f"differ in {different} of {epochs}"
