"""Headings, rows and lists: the parts of every text report."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.padding import Padding
from rich.segment import Segment
from rich.table import Table
from rich.text import Text

from wandb_repro.report.text import clean

_NAMES = 14
"""Columns for the names of rows."""

STYLES = {
    "identical": "bold green",
    "equivalent": "bold green",
    "diverged": "bold red",
    "inconclusive": "bold yellow",
    "stops": "red",
    "changes bits": "yellow",
    "may change bits": "yellow",
    "is not compared": "yellow",
    "explains": "dim",
}


def heading(word: str, rest: str = "", style: str = "bold") -> Text:
    """Return a first line: a word in bold, then the subject."""
    text = Text(clean(word), style=style)
    return text.append(f"  {clean(rest)}", style="default") if rest else text


def rows(pairs: Iterable[tuple[str, str]]) -> RenderableType:
    """Return a table of names and values; rows without a value are left out."""
    table = Table.grid(padding=(0, 2), expand=False)
    table.add_column(style="dim", overflow="fold", min_width=_NAMES, max_width=_NAMES + 2)
    table.add_column(overflow="fold")
    for name, value in pairs:
        if value:
            table.add_row(Text(clean(name, 100)), Text(clean(value)))
    return Padding(table, (0, 0, 0, 2))


def bullets(items: Iterable[tuple[str, str, str]]) -> RenderableType:
    """Return a list: a short mark, a sentence, and what to do on the next line."""
    table = Table.grid(padding=(0, 2), expand=False)
    table.add_column(no_wrap=True)
    table.add_column(overflow="fold")
    for mark, sentence, cure in items:
        table.add_row(Text(mark, style=STYLES.get(mark, "")), Text(clean(sentence)))
        if cure:
            table.add_row("", Text(f"→ {clean(cure)}", style="bold"))
    return Padding(table, (0, 0, 0, 2))


def listing(
    title: str, items: Iterable[tuple[str, str, str]], *, rest: str = "", style: str = "bold"
) -> Iterator[RenderableType]:
    """Yield an empty line, a heading and a list of ``bullets``; nothing if the list is empty."""
    entries = list(items)
    if entries:
        yield from (blank(), heading(title, rest, style), bullets(entries))


def more(hidden: int, word: str = "more") -> Iterator[RenderableType]:
    """Yield a row that says how many entries are not shown; nothing if all are."""
    if hidden > 0:
        yield rows([("", f"and {hidden:,} {word}; --json has all")])


def blank() -> Text:
    """Return an empty line."""
    return Text("")


def page(*parts: RenderableType) -> RenderableType:
    """Return parts below each other, without spaces at the ends of lines."""
    return _Page(parts)


class _Page:
    """Parts below each other. Rich pads table cells with spaces, which would be copied."""

    def __init__(self, parts: tuple[RenderableType, ...]) -> None:
        self._parts = parts

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        for line in console.render_lines(Group(*self._parts), options, pad=False):
            yield from _without_end_blanks(line)
            yield Segment.line()


def _without_end_blanks(line: list[Segment]) -> list[Segment]:
    kept = list(line)
    while kept:
        last = kept.pop()
        text = last.text.rstrip(" ")
        if text:
            return [*kept, Segment(text, last.style)]
    return []
