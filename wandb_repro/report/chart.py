"""Draws where two trails agree and where they differ."""

from __future__ import annotations

from xml.etree.ElementTree import Element

from wandb_repro.report.html import element
from wandb_repro.report.text import count
from wandb_repro.verify.verdict import Verdict

_WIDTH, _HEIGHT, _TOP = 600, 16, 4
_LEAST = 14
"""Minimum width of a part, so that it is visible and a cross fits."""


def agreement(verdict: Verdict, recorded: int) -> Element:
    """Return a bar over the moments of the original: equal, different, not compared.

    Equal is filled, different has a cross, not compared is an outline: colour is never the only
    sign. ``recorded`` is the number of moments that the original recorded.
    """
    differs = 1 if verdict.first is not None else 0
    equal = max(0, verdict.moments - differs)
    rest = max(0, recorded - verdict.moments)
    caption = ", ".join(_words(equal, differs, rest)) or "nothing was compared"
    picture = element(
        "svg",
        element("title", caption),
        *_bar(equal, differs, rest),
        viewBox=f"0 0 {_WIDTH} {_TOP + _HEIGHT}",
        preserveAspectRatio="none",  # as high on a phone as on paper
        role="img",
    )
    return element("figure", picture, element("figcaption", caption))


def _words(equal: int, differs: int, rest: int) -> list[str]:
    parts = [f"equal at {count(equal, 'moment')}"] if equal else []
    parts += ["different at the next" if equal else "different at the first"] if differs else []
    parts += [f"{rest:,} not compared"] if rest else []
    return parts


def _bar(equal: int, differs: int, rest: int) -> list[Element]:
    drawn: list[Element] = []
    left = 0.0
    for kind, width in zip(
        ("equal", "differs", "unknown"), _widths(equal, differs, rest), strict=True
    ):
        if width:
            drawn.append(_box(kind, left, width))
            if kind == "differs":
                drawn.append(_cross(left, width))
        left += width
    return drawn


def _widths(*numbers: int) -> list[float]:
    """Return proportional widths: at least ``_LEAST`` for each number but 0."""
    least = sum(_LEAST for number in numbers if number)
    free = _WIDTH - least
    total = sum(numbers) or 1
    return [number and _LEAST + free * number / total for number in numbers]


def _box(kind: str, left: float, width: float) -> Element:
    return element(
        "rect",
        class_=kind,
        x=f"{left + 1:.1f}",
        y=str(_TOP),
        width=f"{width - 2:.1f}",
        height=str(_HEIGHT),
        rx="3",
    )


def _cross(left: float, width: float) -> Element:
    middle, half = left + width / 2, 4
    top, bottom = _TOP + _HEIGHT / 2 - half, _TOP + _HEIGHT / 2 + half
    path = (
        f"M{middle - half:.1f} {top}L{middle + half:.1f} {bottom}"
        f"M{middle - half:.1f} {bottom}L{middle + half:.1f} {top}"
    )
    return element("path", class_="cross", d=path)
