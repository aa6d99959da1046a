"""Every sentence that a person can meet, in one listing: ``tests/data/reports/messages.txt``.

Read it to judge how the package speaks. The sentences live in few places: errors are raised with
theirs in each room, ``recording/messages.py`` writes what a training says, ``verify/`` names
findings and causes, ``report/`` lays out terminal reports and the card, ``cli/`` holds the help.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.golden import Golden
from tests.support.sentences import PACKAGE, documentation, messages

MODULES = sorted(PACKAGE.rglob("*.py"))

PRIVATE_LANGUAGE = re.compile(
    r"""\b(
        (is|are|was|were|be|being)\s+told | tells?\s+of | at\s+hand | of\s+its\s+own\s+accord
        | (can|could|cannot|can't)\s+be\s+had | is\s+had | nobody\s+(can|says|knows)
        | stands?\s+(in\s+the\s+way|beside|there|for\s+itself|around) | as\s+things\s+stand
        | of\s+it\s+is | what\s+of\s+it | the\s+rooms?\s+of | no\s+more\s+than\s+that
    )\b""",
    flags=re.VERBOSE | re.IGNORECASE,
)
"""Turns of phrase that this package once had and that no colleague would use."""


def listing() -> str:
    """Return all messages, module by module."""
    parts: list[str] = []
    for path in MODULES:
        if found := messages(path):
            name = path.relative_to(PACKAGE).as_posix()
            parts.append("\n".join([f"== {name}", *found]))
    return "\n\n".join(parts) + "\n"


def test_the_listing_holds_every_message(golden: Golden) -> None:
    golden.check("messages.txt", listing())


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_sentences_are_what_a_colleague_would_say(path: Path) -> None:
    said = [*messages(path), *documentation(path)]
    assert [text for text in said if PRIVATE_LANGUAGE.search(text)] == []
