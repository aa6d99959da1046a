"""The cached environments as text: what ``cache`` prints."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from wandb_repro.report.layout import blank, heading, page, rows
from wandb_repro.report.text import clean, count, size

_KEY_LETTERS = 12
_DAY_S = 86_400


@dataclass(frozen=True)
class KeptRow:
    """One cached environment."""

    key: str
    python: str
    """Version."""
    packages: int
    size_bytes: int
    """What deleting it frees."""
    shared_bytes: int
    """Of files that uv's cache or a rerun has too, by hard links."""
    unused_s: float
    """Seconds since it was last used."""


def cache_text(
    folder: str, kept: Sequence[KeptRow], sizes: tuple[int, int], limits: str
) -> RenderableType:
    """Return the list of cached environments.

    Args:
        folder: that holds them.
        kept: the environments.
        sizes: of all files together, in bytes: its own ones, and those shared by hard links.
        limits: beyond which environments are deleted.
    """
    own_bytes, shared_bytes = sizes
    return page(
        heading("cache", f"{count(len(kept), 'environment')}, {size(own_bytes)}"),
        _table(kept) if kept else blank(),
        rows(
            [
                ("in folder", folder),
                (
                    "shared",
                    f"{size(shared_bytes)} with uv's cache or reruns, which is no extra space",
                ),
                ("kept", f"until {limits}"),
            ]
        ),
    )


def _table(kept: Iterable[KeptRow]) -> RenderableType:
    table = Table.grid(padding=(0, 2), expand=False)
    for justify in ("left", "left", "right", "right", "left"):
        table.add_column(no_wrap=True, justify=justify)
    for row in kept:
        words = (
            row.key[:_KEY_LETTERS],
            f"Python {row.python}",
            count(row.packages, "package"),
            size(row.size_bytes),
            _used(row.unused_s),
        )
        table.add_row(*(Text(clean(word)) for word in words))
    return Padding(table, (0, 0, 0, 2))


def _used(unused_s: float) -> str:
    days = int(unused_s // _DAY_S)
    return f"used {count(days, 'day')} ago" if days > 0 else "used today"
