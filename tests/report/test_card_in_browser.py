"""The card in a real browser: on any screen and on paper it fits, and nothing of it runs.

Screenshots are kept in ``ci-output/screenshots``. Look at them when the card changes.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.report.pages import CARDS, DIFF, card_of
from tests.support.browser import keep
from tests.support.records import rerun_manifest, trail
from wandb_repro.report.card import CardExtras

SCREENS: dict[str, dict[str, Any]] = {
    "light": {"viewport": {"width": 1100, "height": 900}},
    "dark": {"viewport": {"width": 1100, "height": 900}, "color_scheme": "dark"},
    "phone": {"viewport": {"width": 390, "height": 844}},
    "phone-dark": {"viewport": {"width": 390, "height": 844}, "color_scheme": "dark"},
}
PAPER = {"viewport": {"width": 700, "height": 1000}, "color_scheme": "dark"}
_TOO_WIDE = "document.documentElement.scrollWidth > window.innerWidth"
_BACKGROUND = "getComputedStyle(document.body).backgroundColor"


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Generator[Any]:
    """Give a function that opens a page's text on a screen; what it asks for is refused."""
    contexts: list[Any] = []

    def on(text: str, **screen: Any) -> Any:
        path = tmp_path / f"{len(contexts)}.html"
        path.write_text(text, encoding="utf-8")
        contexts.append(browser.new_context(**screen))
        page = contexts[-1].new_page()
        page.goto(path.as_uri())
        return page

    yield on
    for context in contexts:
        context.close()


@pytest.mark.slow
@pytest.mark.parametrize("name", CARDS)
@pytest.mark.parametrize("screen", SCREENS)
def test_a_card_fits_on_a_screen(name: str, screen: str, opened: Any) -> None:
    page = opened(CARDS[name](), **SCREENS[screen])
    for each in page.locator("details").all():
        each.evaluate("found => found.open = true")

    keep(page, f"{name}-{screen}")
    assert not page.evaluate(_TOO_WIDE)
    assert page.evaluate(_BACKGROUND) == (
        "rgb(13, 17, 23)" if "dark" in screen else "rgb(255, 255, 255)"
    )


@pytest.mark.slow
@pytest.mark.parametrize("name", CARDS)
def test_a_card_on_paper_is_white_and_shows_what_a_screen_folds(name: str, opened: Any) -> None:
    page = opened(CARDS[name](), **PAPER)
    page.emulate_media(media="print")

    keep(page, f"{name}-paper")
    assert not page.evaluate(_TOO_WIDE)
    assert page.evaluate(_BACKGROUND) == "rgb(255, 255, 255)"
    for folded in page.locator("details table, details pre").all():
        assert folded.is_visible()


HOSTILE = "\"'></pre></style></svg><img src=x onerror=\"document.title='owned'\">"


def test_what_a_stranger_wrote_is_shown_as_text_and_nothing_runs(opened: Any) -> None:
    script = "<script>document.title=1</script>"
    manifest = rerun_manifest(
        {
            "execution.code.git.branch": HOSTILE,
            "execution.command.arguments": [script, HOSTILE, "x", "y"],
            "run.rerun_of": HOSTILE,
        }
    )
    asked: list[str] = []
    page = opened(card_of(manifest, trail(), CardExtras(changes=f"{DIFF}+{script}\n"), HOSTILE))

    def note(request: Any) -> None:
        asked.append(request.url)

    page.on("request", note)
    page.reload()

    shown = page.inner_text("body")
    assert HOSTILE in shown
    assert script in shown
    assert page.title() == HOSTILE
    assert page.locator("img, script").count() == 0
    assert len(asked) == 1, asked
