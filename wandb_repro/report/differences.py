"""What differs between two records as text: what ``diff`` prints."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wandb_repro.report.layout import STYLES, blank, heading, page
from wandb_repro.report.words import clean, count
from wandb_repro.verify.finding import Effect, Finding

__all__ = ["differences_text"]

_GROUPS: tuple[tuple[Effect, str], ...] = (
    ("changes bits", "These change bits"),
    ("may change bits", "These may change bits"),
    ("explains", "These change no bits"),
)
_MOST = 12


def differences_text(one: str, two: str, findings: Sequence[Finding]) -> RenderableType:
    """Return the differences of two runs, what can change bits first."""
    if not findings:
        return page(heading("no difference", f"between {one} and {two}", STYLES["identical"]))
    parts: list[RenderableType] = [
        heading(count(len(findings), "difference"), f"{one} on the left, {two} on the right")
    ]
    for effect, title in _GROUPS:
        group = [finding for finding in findings if finding.effect == effect]
        if group:
            parts += [blank(), heading(title, style=STYLES[effect]), _table(group)]
    return page(*parts)


def _table(findings: Sequence[Finding]) -> RenderableType:
    table = Table.grid(padding=(0, 2), expand=False)
    table.add_column(style="dim", overflow="fold", min_width=14, max_width=24)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for finding in findings[:_MOST]:
        cells = (finding.fact, finding.original, finding.here)
        table.add_row(*(Text(clean(text, 300)) for text in cells))
    if len(findings) <= _MOST:
        return Padding(table, (0, 0, 0, 2))
    more = f"and {len(findings) - _MOST} more; --json has all"
    return Padding(Group(table, Text(more, style="dim")), (0, 0, 0, 2))
