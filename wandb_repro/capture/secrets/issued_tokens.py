"""Finds tokens that services issue, by the table of their prefixes, alphabets and lengths."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from wandb_repro.capture.secrets.issuers import ISSUED, Issued
from wandb_repro.capture.secrets.randomness import looks_random

SHORTEST_WORD = min(len(kind.prefix) + kind.shortest for kind in ISSUED)
_START = 2
"""Characters of a prefix by which its kinds are looked up."""
_ALNUM = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SEPARATORS = bytes(set(range(256)) - set(_ALNUM + b"_-."))
_SPACED = bytes.maketrans(_SEPARATORS, b" " * len(_SEPARATORS))
_DIGIT = re.compile("[0-9]")
_TAIL = re.compile(rb"(?:[+/][\w+/-]{16,})?={0,2}")
"""What belongs to a token beyond the characters by which it is known."""


def _by_start() -> dict[bytes, tuple[Issued, ...]]:
    found: dict[bytes, list[Issued]] = {}
    for kind in sorted(ISSUED, key=lambda kind: len(kind.prefix), reverse=True):
        found.setdefault(kind.prefix[:_START], []).append(kind)
    return {start: tuple(kinds) for start, kinds in found.items()}


_KINDS = _by_start()


def long_words(data: bytes) -> list[bytes]:
    """Return the runs of letters, digits, ``_``, ``-`` and ``.`` that are as long as a token."""
    # Splitting takes a tenth of the time of searching for each prefix, or of a regular expression.
    if b"\\" in data:
        data = re.sub(rb"\\[nrt]", b"  ", data)
    return [word for word in data.translate(_SPACED).split() if len(word) >= SHORTEST_WORD]


def issuer_of(word: bytes) -> str:
    """Return who issued the token that a word is or ends with; empty if it is none.

    ``issuer_of(b"conf.ghp_...")`` returns ``GitHub``.
    """
    found = _token(word, looks_random)
    return found[0] if found else ""


def _token(word: bytes, accepts: Callable[[str], object]) -> tuple[str, int] | None:
    """Return the issuer and the offset of a token in a word.

    Args:
        word: of a text.
        accepts: whether what follows the prefix may be a token.
    """
    at = len(word) - len(word.lstrip(b"-._"))
    while True:
        for kind in _KINDS.get(word[at : at + _START], ()):
            if word.startswith(kind.prefix, at) and _is_of(
                kind, word[at + len(kind.prefix) :], accepts
            ):
                return kind.issuer, at
        at = word.find(b".", at) + 1
        if at == 0 or len(word) - at < SHORTEST_WORD:
            return None


def _is_of(kind: Issued, rest: bytes, accepts: Callable[[str], object]) -> bool:
    """Return whether so many characters of the alphabet follow a prefix as a token has."""
    rest = rest.rstrip(b".-")
    length = len(rest) - len(rest.lstrip(kind.alphabet))
    if not kind.shortest <= length <= kind.longest:
        return False
    after = rest[length : length + 1]
    return after not in _WORD_CHARACTERS and bool(accepts(rest[:length].decode("ascii")))


_WORD_CHARACTERS = {bytes([character]) for character in _ALNUM + b"_"}


def issued_token(data: bytes) -> str:
    """Return who issued the first token found in a file; empty if there is none."""
    return next((issuer for word in set(long_words(data)) if (issuer := issuer_of(word))), "")


def token_spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the places of issued tokens in a text, in order; repetitive ones too."""
    spaced = re.sub(rb"\\[nrt]", b"  ", data).translate(_SPACED)
    for word in re.finditer(rb"[^ ]{%d,}" % SHORTEST_WORD, spaced):
        found = _token(word[0], _DIGIT.search)
        if found:
            end = _TAIL.match(data, word.end())
            yield word.start() + found[1], end.end() if end else word.end()
