from __future__ import annotations

import pytest

from tests.support.planted import signs
from wandb_repro.capture.secrets.issued_tokens import (
    SHORTEST_WORD,
    issued_token,
    issuer_of,
    long_words,
    token_spans,
)

GITHUB = ("gh" + "p_" + signs("issued", 35) + "7").encode()


@pytest.mark.parametrize("before", [b"", b"-", b"conf.", b"a.b."])
def test_the_issuer_is_known_wherever_the_token_begins(before: bytes) -> None:
    assert issuer_of(before + GITHUB) == "GitHub"


@pytest.mark.parametrize("word", [GITHUB[:-1], b"x" + GITHUB, b"gh" + b"p_" + b"x" * 36, b"", b"."])
def test_another_word_has_no_issuer(word: bytes) -> None:
    assert issuer_of(word) == ""


def test_words_are_long_and_begin_after_an_escape() -> None:
    word = b"a" * SHORTEST_WORD
    assert long_words(rb"x = \n" + word + b", " + word[1:]) == [word]


def test_a_token_is_found_in_a_text() -> None:
    assert issued_token(b'x = "' + GITHUB + b'"\n') == "GitHub"
    assert issued_token(b"x = 1\n") == ""


def test_a_place_is_that_of_the_whole_token() -> None:
    text = b"(" + GITHUB + b"==) and " + GITHUB
    assert [text[start:end] for start, end in token_spans(text)] == [GITHUB + b"==", GITHUB]
