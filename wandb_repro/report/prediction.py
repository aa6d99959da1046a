"""The text that ``check`` prints: whether a rerun here would be bit-identical."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from wandb_repro.report.layout import STYLES, blank, bullets, heading, page, rows
from wandb_repro.report.text import count
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.prediction import Expected, Prediction

_MOST = 10

_HEADINGS: dict[Expected, tuple[str, str, str]] = {
    "identical": ("bit-identical expected", "", STYLES["identical"]),
    "different": ("not reproducible here yet", "", STYLES["diverged"]),
    "perhaps": ("perhaps not reproducible here yet", "", STYLES["inconclusive"]),
    "unknown": ("cannot tell", "", STYLES["inconclusive"]),
}


def prediction_text(prediction: Prediction) -> RenderableType:
    """Return what to expect, what blocks it and what to do, and what a rerun restores."""
    word, rest, style = _HEADINGS[prediction.expected]
    started = "rerun" if prediction.how == "rerun" else "by hand, in this shell"
    return page(
        heading(word, rest, style),
        rows(
            [
                ("original", prediction.original),
                ("started", started),
                ("environment", prediction.environment),
                ("no effect", _harmless(prediction.harmless)),
            ]
        ),
        *_part("Blocking", prediction.findings),
        *_unknown(prediction.unknown),
        *_part("Restored by rerun", prediction.settled),
    )


def _harmless(found: Sequence[Finding]) -> str:
    return ", ".join(dict.fromkeys(one.fact for one in found))


def _part(title: str, found: Sequence[Finding]) -> Iterator[RenderableType]:
    if not found:
        return
    yield blank()
    yield heading(title, count(len(found), "finding"))
    yield bullets((one.effect, one.sentence, one.cure) for one in found[:_MOST])
    if len(found) > _MOST:
        yield rows([("", f"and {len(found) - _MOST:,} more; --json has all")])


def _unknown(reasons: Sequence[str]) -> Iterator[RenderableType]:
    if reasons:
        yield blank()
        yield heading("Unknown")
        yield bullets(("-", reason, "") for reason in reasons)
