"""Passwords and keys that a file assigns to a name: ``db_password = ...``, ``api_key: "..."``.

These have no fixed format. They are recognised by the name, and by a value that is neither a
placeholder nor a plain word; in code the value must be a literal that looks random.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterator

from wandb_repro.capture.secrets.names import CERTAIN_WORDS, PLAIN_VALUE, names_a_secret, words_of

_RANDOM_BITS = 3.0
"""Minimum bits per character of random text; words joined by hyphens have less."""


_SETTINGS = re.compile(
    rb"(?:^|[/.])(?:ini|cfg|conf|cnf|config|toml|ya?ml|json|env|properties|sh|bash|tfvars|xml)$",
    re.I,
)


_HINTS = (b"passw", b"passphrase", b"pwd", b"secret", b"token", b"key", b"credential", b"auth")


_GIVEN = re.compile(
    rb"(?P<rest>[\w\-]{0,48})\\?[\"']?\]?\s{0,8}[=:]\s{0,8}"
    rb"(?:\\?\"(?P<double>[^\"\\\n]{1,400})|\\?'(?P<single>[^'\\\n]{1,400})"
    rb"|(?P<plain>[^\s\"'\\,;#\]}]{1,400}))"
)


_NAME = re.compile(rb"[\w.\-]*$")


_LONGEST_NAME = 60


_ADDRESS = re.compile(
    rb"://(?P<user>[^\s/:@\"'<>{}$%*]{0,80})"
    rb":(?P<value>[^\s/@\"'<>{}$*]{3,200})@(?=[\w.\-\[])"
)


_PLACEHOLDER = re.compile(
    r"[^\w]*(?:your|my|the|some|an?)?[^\w]*(?:example|change|replace|placeholder|dummy|fake|foo|bar"
    r"|test|todo|xxx|none|null|true|false|user|admin|root|guest|secret|passw|pass$|pwd$|token|key$"
    r"|api|env|os\.|self\.|args\.|config|cfg|get|postgres$|mysql$|redis$|hunter2$|str$|string).*",
    re.IGNORECASE | re.DOTALL,
)


_EXPRESSION = re.compile(r"[<>{}$()\[\]*|]|\.\.\.|\s")


_SHORTEST_PASSWORD, _SHORTEST_TOKEN, _SHORTEST_IN_CODE = 6, 16, 12


def looks_random(text: str) -> bool:
    """Return whether a text is neither plain words nor a placeholder such as ``sk-xxxxxxxx``.

    It has a digit, and at least 3 bits of entropy per character.
    """
    counts = Counter(text).values()
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
    return bits >= _RANDOM_BITS and re.search(r"[0-9]", text) is not None


def _is_placeholder(value: str) -> bool:
    """Return whether a value is a word, variable, expression or switch, and so not a secret."""
    return bool(
        PLAIN_VALUE.fullmatch(value) or _EXPRESSION.search(value) or _PLACEHOLDER.fullmatch(value)
    )


def secret_setting(data: bytes, path: bytes) -> str:
    """Return which setting of a file looks like a secret, without its value; empty if none does.

    Args:
        data: the file.
        path: of the file; in settings files, unlike in code, values count without quotes.

    Example: ``secret_setting(b'db_password: "x7Kp2mQ9"', b"settings.yaml")`` returns ``it sets
    db_password``.
    """
    for found in _ADDRESS.finditer(data):
        if _is_password(found["user"], found["value"]):
            return "it holds an address with a password"
    lower, unquoted_counts = data.lower(), _SETTINGS.search(path) is not None
    for hint in _HINTS:
        for at in places_of(hint, lower):
            found = _GIVEN.match(data, at)
            if found is None:
                continue
            name = _name_of(data, at) + found["rest"].decode("latin-1")
            if _is_secret(name, found, unquoted_counts=unquoted_counts):
                return f"it sets {name}"
    return ""


def places_of(literal: bytes, data: bytes) -> Iterator[int]:
    """Yield each offset of the literal in the data, in bytes."""
    at = data.find(literal)
    while at >= 0:
        yield at
        at = data.find(literal, at + 1)


def _name_of(data: bytes, at: int) -> str:
    """Return the part of a name before an offset."""
    found = _NAME.search(data[max(0, at - _LONGEST_NAME) : at])
    return found[0].decode("latin-1") if found else ""


def _is_password(user: bytes, value: bytes) -> bool:
    return user != value and not _is_placeholder(value.decode("latin-1"))


def _is_secret(name: str, found: re.Match[bytes], *, unquoted_counts: bool) -> bool:
    quoted = found["double"] or found["single"]
    value = (quoted or found["plain"]).decode("latin-1")
    # "key" alone may be the key of a dictionary, a column or a sort.
    if words_of(name) in (["key"], ["token"]) or not names_a_secret(name) or _is_placeholder(value):
        return False
    if value.startswith(("/", "./", "../", "~/")):
        return False
    certain = any(CERTAIN_WORDS.fullmatch(word) for word in words_of(name))
    if not unquoted_counts:
        return bool(quoted) and len(value) >= _SHORTEST_IN_CODE and looks_random(value)
    if certain:
        return len(value) >= _SHORTEST_PASSWORD
    return len(value) >= _SHORTEST_TOKEN and looks_random(value)
