"""What ``check`` foresees in each of many settings, beside what then happens there."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from tests.support.foreseen import SETTINGS, Laboratory

__all__ = ["measure"]


def measure() -> Iterator[str]:
    """Train once for each setting: some minutes."""
    yield f"{'setting':26} {'foreseen':10} {'seen':10} because of, where"
    with tempfile.TemporaryDirectory() as folder:
        laboratory = Laboratory(Path(folder) / "lab")
        for name, setting in SETTINGS.items():
            both = laboratory.look(name, setting)
            said = "; ".join(filter(None, (", ".join(both.why), both.at)))
            yield f"{name:26} {both.foreseen:10} {both.seen:10} {said}"
