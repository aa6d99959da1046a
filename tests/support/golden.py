"""Files that a test compares with, byte for byte; ``--rewrite-golden`` writes them anew."""

from __future__ import annotations

from pathlib import Path

__all__ = ["DATA", "Golden"]

DATA = Path(__file__).parent.parent / "data"


class Golden:
    """The texts under ``tests/data/reports``. A change to one is a change to review."""

    def __init__(self, *, rewrite: bool) -> None:
        self._rewrite = rewrite

    def check(self, name: str, text: str) -> None:
        """Compare a text with the file of this name."""
        file = DATA / "reports" / name
        if self._rewrite:
            file.write_text(text, encoding="utf-8")
        assert text == file.read_text(encoding="utf-8")
