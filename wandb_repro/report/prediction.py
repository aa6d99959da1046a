"""The text that ``check`` prints: whether a rerun here would be bit-identical."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import RenderableType

from wandb_repro.report.layout import STYLES, heading, listing, more, page, rows
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
    """Return the prediction, what blocks it and how to fix that, and what a rerun restores."""
    word, rest, style = _HEADINGS[prediction.expected]
    harmless = dict.fromkeys(finding.fact for finding in prediction.harmless)
    failed = prediction.failed
    started = "rerun" if prediction.how == "rerun" else "by hand, in this shell"
    return page(
        heading(word, rest, style),
        rows(
            [
                ("original", prediction.original),
                ("failed", f"{failed}; a rerun is compared up to there" if failed else ""),
                ("started", started),
                ("environment", prediction.environment),
                ("no effect", ", ".join(harmless)),
            ]
        ),
        *_part("Blocking", prediction.findings),
        *listing("Unknown", (("-", reason, "") for reason in prediction.unknown)),
        *_part("Restored by rerun", prediction.settled),
    )


def _part(title: str, found: Sequence[Finding]) -> Iterator[RenderableType]:
    items = ((finding.effect, finding.sentence, finding.cure) for finding in found[:_MOST])
    yield from listing(title, items, rest=count(len(found), "finding"))
    yield from more(len(found) - _MOST)
