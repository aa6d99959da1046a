"""The text that ``verify --history`` prints."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from rich.console import RenderableType

from wandb_repro.report.layout import STYLES, heading, listing, more, page, rows
from wandb_repro.report.text import count
from wandb_repro.verify.history_verdict import Grade, HistoryVerdict, Point, Points

_MOST = 10

_HEADINGS: dict[Grade, tuple[str, str]] = {
    "equal": ("W&B has the history that was logged", STYLES["identical"]),
    "different": ("W&B's history is not what was logged", STYLES["diverged"]),
    "inconclusive": ("W&B's history may not be what was logged", STYLES["inconclusive"]),
}


def history_text(verdict: HistoryVerdict) -> RenderableType:
    """Return the verdict, how much was compared, and the points that differ."""
    rest, style = _HEADINGS[verdict.grade]
    repeated = f"{count(verdict.repeated, 'point')} that W&B adds for define_metric"
    return page(
        heading(verdict.grade, rest, style),
        rows(
            [
                ("run", verdict.run),
                ("equal", f"{count(verdict.equal, 'point')} in {count(verdict.rows, 'row')}"),
                ("repeated", repeated if verdict.repeated else ""),
                ("not compared", _names(verdict.not_compared)),
            ]
        ),
        *_part("Lost", verdict.lost, lambda point: f"{point.logged} was logged"),
        *_part(
            "Changed",
            verdict.changed,
            lambda point: f"{point.logged} was logged, W&B has {_stored(point)}",
        ),
        *_part("Not in the record", verdict.extra, lambda point: f"W&B has {_stored(point)}"),
        *_part("Outside the record", verdict.outside, lambda point: f"W&B has {_stored(point)}"),
        *listing("Unknown", (("-", reason, "") for reason in verdict.unknown)),
    )


def _part(title: str, points: Points, words: Callable[[Point], str]) -> Iterator[RenderableType]:
    shown = points.first[:_MOST]
    items = (("-", f"{point.key} at step {point.step:,}: {words(point)}", "") for point in shown)
    yield from listing(title, items, rest=count(points.count, "point"))
    yield from more(points.count - len(shown))


def _stored(point: Point) -> str:
    return point.stored if len(point.stored) <= _LONG else f"{point.stored[:_LONG]} ..."


_LONG = 80


def _names(names: tuple[str, ...]) -> str:
    hidden = len(names) - _MOST
    shown = ", ".join(names[:_MOST])
    return f"{shown} and {hidden:,} more" if hidden > 0 else shown
