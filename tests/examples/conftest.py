"""Examples import what they like."""

from __future__ import annotations

import pytest

from tests.support.hidden_modules import VARIABLE


@pytest.fixture(autouse=True)
def all_modules(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide no module from the examples' processes."""
    monkeypatch.delenv(VARIABLE, raising=False)
