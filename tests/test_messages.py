"""Every sentence that a person can meet, room by room: ``tests/data/reports/messages/ROOM.txt``.

Read a room to judge how the package speaks; none takes longer than ten minutes. ``recording/`` has
what a training says, ``verify/`` findings and causes, ``report/`` terminal reports and the card,
``cli/`` the help; each room has the errors that it raises.
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


def room_of(path: Path) -> str:
    """Return the folder of a module in the package; those on top are the room ``package``."""
    first, *rest = path.relative_to(PACKAGE).parts
    return first if rest else "package"


ROOMS = sorted({room_of(path) for path in MODULES if messages(path)})
TEN_MINUTES = 2_500
"""Words that a person reads in that time."""


def listing(room: str) -> str:
    """Return all messages of a room, module by module."""
    parts: list[str] = []
    for path in MODULES:
        if room_of(path) == room and (found := messages(path)):
            name = path.relative_to(PACKAGE).as_posix()
            parts.append("\n".join([f"== {name}", *found]))
    return "\n\n".join(parts) + "\n"


@pytest.mark.parametrize("room", ROOMS)
def test_the_listing_holds_every_message_and_is_read_in_ten_minutes(
    golden: Golden, room: str
) -> None:
    golden.check(f"messages/{room}.txt", listing(room))
    assert len(listing(room).split()) <= TEN_MINUTES


def test_no_listing_is_left_of_a_room_that_is_gone() -> None:
    folder = Path(__file__).parent / "data" / "reports" / "messages"
    assert [path.stem for path in sorted(folder.iterdir())] == ROOMS


@pytest.mark.parametrize("path", MODULES, ids=str)
def test_sentences_are_what_a_colleague_would_say(path: Path) -> None:
    said = [*messages(path), *documentation(path)]
    assert [text for text in said if PRIVATE_LANGUAGE.search(text)] == []
