"""The text that ``diff`` prints: the differences between two runs.

What came out comes first, then what can change bits; the order within these is that of the card.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import get_args

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wandb_repro.report.layout import STYLES, blank, heading, page
from wandb_repro.report.text import clean, count
from wandb_repro.verify.finding import Effect, Finding, Kind

_GROUPS: tuple[tuple[Effect, str], ...] = (
    ("changes bits", "These change bits"),
    ("may change bits", "These may change bits"),
    ("explains", "These change no bits"),
)
ORDER: tuple[Kind, ...] = get_args(Kind)

_FEW: dict[Kind, int] = {"package": 3, "config": 12, "switch": 12, "data": 12}
"""Up to this many of a kind get a row each; people look for config values."""
_NOUNS: dict[Kind, str] = {
    "package": "packages",
    "config": "config values",
    "switch": "switches",
    "data": "datasets",
}
_NAMED = 6
_FACT = 24
_LONGEST = 300


def differences_text(
    left: str, right: str, findings: Sequence[Finding], *, every: bool = False
) -> RenderableType:
    """Return the differences of the runs ``one`` and ``two``, what can change bits first.

    Many differences of one kind become one row, unless ``every`` is True.
    """
    if not findings:
        return page(heading("no difference", f"between {left} and {right}", STYLES["identical"]))
    parts: list[RenderableType] = [
        heading(count(len(findings), "difference"), f"{left} on the left, {right} on the right")
    ]
    folded = False
    for title, style, group in _grouped(findings):
        if group:
            rows = list(_rows(group, every=every))
            folded = folded or len(rows) < len(group)
            parts += [blank(), heading(title, style=style), *_tables(rows)]
    if folded:
        parts += [blank(), Text("diff --all lists each of them", style="dim")]
    return page(*parts)


def _grouped(findings: Sequence[Finding]) -> Iterator[tuple[str, str, list[Finding]]]:
    """Yield title, style and findings of each group: results, then what may have caused them."""
    results = [finding for finding in findings if finding.kind == "result"]
    yield "What came out differs", STYLES["diverged"], results
    for effect, title in _GROUPS:
        of_effect = [finding for finding in findings if finding.effect == effect]
        yield title, STYLES[effect], [each for each in of_effect if each.kind != "result"]


def _rows(findings: Sequence[Finding], *, every: bool) -> Iterator[tuple[str, ...]]:
    """Yield fact, left and right; for many of one kind, their number and names."""
    for kind in ORDER:
        same = [finding for finding in findings if finding.kind == kind]
        if every or len(same) <= _FEW.get(kind, len(same)):
            yield from ((finding.fact, finding.original, finding.here) for finding in same)
        else:
            names = [finding.fact.removeprefix("config.") for finding in same]
            more = f" and {len(names) - _NAMED} more" if len(names) > _NAMED else ""
            yield f"{len(names):,} {_NOUNS[kind]} differ", ", ".join(names[:_NAMED]) + more


def _tables(rows: Sequence[tuple[str, ...]]) -> Iterator[RenderableType]:
    """Yield a table with both sides aligned; a row of names has the full width."""
    for columns, group in groupby(rows, key=len):
        table = Table.grid(padding=(0, 2), expand=True)
        table.add_column(style="dim", overflow="fold", min_width=_FACT, max_width=_FACT)
        for _ in range(columns - 1):
            table.add_column(overflow="fold", ratio=1)
        for row in group:
            table.add_row(*(Text(clean(text, _LONGEST)) for text in row))
        yield Padding(table, (0, 0, 0, 2))
