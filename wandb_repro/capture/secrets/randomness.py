"""Tells random text, such as a key, from words, names and placeholders."""

from __future__ import annotations

import math
import re
from collections import Counter

_RANDOM_BITS = 3.0
"""Minimum bits per character of random text; words joined by hyphens have less."""

_RUN = re.compile(r"[A-Z]?[a-z]+|[A-Z]+|[0-9]+")

_MOST_CHARACTERS_A_RUN = 3.4
"""Random letters and digits change their class every 2 to 2.5 characters, names less often."""


def looks_random(text: str) -> bool:
    """Return whether a text is neither plain words nor a placeholder such as ``sk-xxxxxxxx``.

    It has a digit, and at least 3 bits of entropy per character.
    """
    counts = Counter(text).values()
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
    return bits >= _RANDOM_BITS and re.search(r"[0-9]", text) is not None


def looks_generated(text: str) -> bool:
    """Return whether a text is random and no name: ``q7Xw2Lp9`` but not ``layer_12_key``."""
    runs = _RUN.findall(text)
    characters = sum(map(len, runs))
    return characters <= _MOST_CHARACTERS_A_RUN * len(runs) and looks_random(text)
