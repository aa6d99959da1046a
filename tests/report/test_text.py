"""Strings of a record, made safe and short."""

from __future__ import annotations

import pytest

from wandb_repro.report.text import clean, count, size

CLEANED = {
    "letters": ("café 漢字 😀", "café 漢字 😀"),
    "a line end": ("a\nb", "a↵b"),
    "a tab": ("a\tb", "a b"),
    "an escape code": ("\x1b[31m", "\ufffd[31m"),
    "a change of direction": ("a\u202eb", "a\ufffdb"),
    "half a character": ("\udc80", "\ufffd"),
    "a line separator": ("a\u2028b", "a\ufffdb"),
}


@pytest.mark.parametrize(("text", "expected"), CLEANED.values(), ids=CLEANED)
def test_what_can_move_a_cursor_is_replaced(text: str, expected: str) -> None:
    assert clean(text) == expected


def test_a_long_text_is_cut_and_says_so() -> None:
    assert clean("abcdef", limit=3) == "abc ..."
    assert clean("abc", limit=3) == "abc"


@pytest.mark.parametrize(
    ("number", "words"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1234, "1,234 files")]
)
def test_a_number_has_its_noun(number: int, words: str) -> None:
    assert count(number, "file") == words


SIZES = {0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1.0 kB", 1_400_000: "1.4 MB"}
LARGE = {2 * 10**9: "2.0 GB", 5 * 10**13: "50000.0 GB"}


@pytest.mark.parametrize(("bytes_", "words"), {**SIZES, **LARGE}.items())
def test_a_size_has_its_unit(bytes_: int, words: str) -> None:
    assert size(bytes_) == words
