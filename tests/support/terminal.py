"""A terminal of a given width, on paper."""

from __future__ import annotations

import io

from rich.cells import cell_len
from rich.console import Console, RenderableType

__all__ = ["cell_len", "on_paper", "on_terminal"]


def on_paper(text: RenderableType, width: int = 80) -> str:
    """Return a report as it is piped into a file."""
    paper = io.StringIO()
    Console(file=paper, width=width, highlight=False).print(text)
    return paper.getvalue()


def on_terminal(text: RenderableType, width: int = 80) -> str:
    """Return a report as a terminal with colours gets it."""
    paper = io.StringIO()
    Console(
        file=paper, width=width, highlight=False, force_terminal=True, color_system="standard"
    ).print(text)
    return paper.getvalue()
