"""Pages as a browser reads them: tags, attributes, text."""

from __future__ import annotations

from html.parser import HTMLParser

from tests.report.reports import BENT, NAME, diverged, nothing
from tests.support.records import full_manifest, rerun_manifest, trail
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.trail import Trail
from wandb_repro.report.card import CardExtras, card
from wandb_repro.verify.audit import audit
from wandb_repro.verify.verdict import judge

__all__ = ["CARDS", "DIFF", "Page", "card_of"]

DIFF = """\
diff --git a/train.py b/train.py
--- a/train.py
+++ b/train.py
@@ -1,2 +1,2 @@
 import keras
-rate = 0.1
+rate = 0.2
"""


class Page(HTMLParser):
    """What a page holds."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]

    def handle_data(self, data: str) -> None:
        self.text += data

    def addresses(self) -> list[str]:
        """Return where its links lead."""
        return [value for name, value in self.attributes if name == "href"]


def card_of(manifest: Manifest, of: Trail, seen: CardExtras | None = None, name: str = NAME) -> str:
    """Return the card of a run."""
    return card(name, manifest, of, audit(manifest, of), seen)


def _rerun() -> str:
    manifest, other = rerun_manifest(BENT), trail(diverged(), ended=False)
    verdict = judge(full_manifest(), trail(), manifest, other)
    return card_of(manifest, other, CardExtras(verdict, original_moments=len(trail().weights)))


def _original() -> str:
    line = "Reproduced in 3 of 3 reruns (same machine 2, other CPU 1)"
    seen = CardExtras(reproduced=line, changes=DIFF)
    return card_of(full_manifest(), trail(), seen)


CARDS = {
    "card": _original,
    "card-rerun": _rerun,
    "card-nothing-known": lambda: card_of(nothing(), trail([], ended=False)),
}
