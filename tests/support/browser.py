"""A real browser: the system's Chromium, driven by Playwright; none is downloaded."""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.support.server import REPOSITORY

__all__ = ["browser", "keep"]

SHOTS = REPOSITORY / "ci-output" / "screenshots"
"""Where screenshots are kept, to be looked at."""

_NAMES = ("chromium", "chromium-browser", "google-chrome")


@pytest.fixture(scope="session")
def browser() -> Generator[Any]:
    """Give a browser; skip where there is none."""
    found = next((path for path in map(shutil.which, _NAMES) if path), None)
    if found is None:
        pytest.skip("no Chromium is installed (Debian: apt-get install chromium)")
    api: Any = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
    with api.sync_playwright() as playwright:
        # Chromium refuses to run as root, as CI does, in its sandbox.
        started = playwright.chromium.launch(executable_path=found, args=["--no-sandbox"])
        yield started
        started.close()


def keep(page: Any, name: str) -> Path:
    """Keep a picture of a whole page."""
    SHOTS.mkdir(parents=True, exist_ok=True)
    path = SHOTS / f"{name}.png"
    page.screenshot(path=str(path), full_page=True)
    return path
