"""Passwords and keys that a file gives to a name: ``db_password = ...``, ``api_key: "..."``.

These have no fixed format. They are recognised by the name, and by a value that is neither a
placeholder nor a plain word; in code the value must look random.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterator

from wandb_repro.capture.secrets.names import (
    CERTAIN_WORDS,
    PLAIN_VALUE,
    names_a_secret,
    words_of,
)
from wandb_repro.capture.secrets.randomness import looks_generated, looks_random

_SETTINGS = re.compile(
    rb"(?:^|[/.])(?:ini|cfg|conf|cnf|config|toml|ya?ml|json|env|properties|sh|bash|tfvars|tfstate"
    rb"|xml|npmrc)$",
    re.I,
)


_HINTS = (b"pass", b"pwd", b"secret", b"token", b"key", b"cred", b"auth", b"login", b"bearer")
"""Each name of a secret contains one of them."""


_GIVEN = re.compile(
    rb"(?P<rest>[\w\-]{0,48})"
    rb"(?:"
    # name="..." value="...", name: ... (a line) value: ...
    rb"\\?[\"']?\s{0,3},?\s{0,40}\\?[\"']?\bvalue\\?[\"']?\s{0,3}[=:]"
    rb"|\\?[\"']\s{0,3},\s{0,3}\w{1,30}="  # get("name", default=...
    # name: str = ..., "name": ..., ["name"] = ..., name => ...
    rb"|\\?[\"']?[\])]?\s{0,8}(?::\s{0,3}[A-Za-z_][\w.\[\]| ,]{0,60}?\s{0,8}=|=>|:=|={1,2}|:)"
    rb"|\\?[\"']\s{0,3},"  # getenv("name", ...)
    rb"|>"  # <name>...
    rb"|,\s{0,3}\w{1,30}\s{0,3}="  # name, other = ...
    rb"|(?P<space>(?=[ \t]))"  # ENV name ..., --name ...
    rb")"
    rb"[\s(\[{\\]{0,80}"
    rb"(?P<values>(?:[bBrRuUfF]{0,2}\\?(?:\"{1,3}|'{1,3})[^\"'\n]{0,400}[\"']{1,3}[\s,+\\)]{0,40}){1,4}"
    rb"|[^\s\"'\\,;#\]}<&]{1,400})"
)
_LITERAL = re.compile(rb"(?:\"{1,3}|'{1,3})([^\"'\n]{0,400}?)\\?[\"']{1,3}")
_SCHEME = re.compile(r"(?:bearer|basic|token|apikey|key)\s+", re.I)


_NAME = re.compile(rb"[\w.\-]*$")


_LONGEST_NAME = 60


_ADDRESS = re.compile(
    rb"://(?P<user>[^\s/:@\"'<>{}$%*]{0,80})"
    rb"(?::(?P<value>[^\s/@\"'<>{}$*]{3,200}))?@(?=[\w.\-\[{$%])"
)
_LOGIN = re.compile(
    rb"(?<![\w-])(?:(?:-u|--user|--userpwd)[ =][\"']?(?P<user>[\w.@-]{1,60}):"
    rb"(?P<value>[^\s\"']{8,200})"
    rb"|(?:mysql|mariadb|sshpass)[^\n]{0,80}?[ ]-p(?P<password>[^\s\"'/=:]{8,100}))"
)
"""Options of curl, of MySQL and their like."""


_PLACEHOLDER = re.compile(
    r"[^\w]*(?:your|my|the|some|an?)?[^\w]*(?:example|change|replace|placeholder|dummy|fake|foo|bar"
    r"|test|todo|xxx|none|null|true|false|user|admin|root|guest|secret|passw|pass$|pwd$|token|key$"
    r"|api|env|os\.|self\.|args\.|config|cfg|get|postgres$|mysql$|redis$|hunter2$|str$|string).*",
    re.IGNORECASE | re.DOTALL,
)


_CALL = re.compile(r"[<>{}$()\[\]*|]|\.\.\.|\s")
_DOTTED = re.compile(r"[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+")


def _is_expression(value: str) -> bool:
    return _CALL.search(value) is not None or _DOTTED.fullmatch(value) is not None


_SHORTEST_PASSWORD, _SHORTEST_TOKEN, _SHORTEST_IN_CODE = 6, 16, 12
_SHORTEST_OF_BARE_NAME = 20
"""``key`` alone may be the key of a dictionary, a column or a sort."""


def _is_placeholder(value: str) -> bool:
    """Return whether a value is a word, variable, expression or switch, and so not a secret."""
    return bool(
        PLAIN_VALUE.fullmatch(value) or _is_expression(value) or _PLACEHOLDER.fullmatch(value)
    )


def secret_setting(data: bytes, path: bytes, until: float = math.inf) -> str:
    """Return which setting of a file looks like a secret, without its value; empty if none does.

    Args:
        data: the file.
        path: of the file; in settings files, unlike in code, a value need not look random.
        until: when to give up, by the monotonic clock.

    Raises:
        TimeoutError: it is later.

    Example: ``secret_setting(b'db_password: "x7Kp2mQ9"', b"settings.yaml")`` returns ``it sets
    db_password``.
    """
    if next(_in_addresses(data), None):
        return "it holds an address with a password"
    if next(_in_logins(data), None):
        return "it holds a command with a password"
    return next((f"it sets {name}" for name, _ in _settings(data, path, until)), "")


def secret_values(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the places of passwords in addresses, and of random values of secrets' names."""
    yield from _in_addresses(data)
    yield from _in_logins(data)
    for _, place in _settings(data, b"", math.inf):
        yield place


def _settings(data: bytes, path: bytes, until: float) -> Iterator[tuple[str, tuple[int, int]]]:
    """Yield each name of a secret that has one, with the place of the value."""
    lower, in_settings = data.lower(), _SETTINGS.search(path) is not None
    for hint in _HINTS:
        for at in places_of(hint, lower, until):
            found = _GIVEN.match(data, at)
            if found is None:
                continue
            name = _name_of(data, at) + found["rest"].decode("latin-1")
            if not names_a_secret(name) or not _is_assigned(data, at, found):
                continue
            for start, end in _values(found):
                value = data[start:end].decode("latin-1")
                scheme = _SCHEME.match(value)
                if scheme:
                    value, start = value[scheme.end() :], start + scheme.end()
                if _is_secret(name, value, quoted=start > found.start("values"), loose=in_settings):
                    yield name, (start, end)


def _is_assigned(data: bytes, at: int, found: re.Match[bytes]) -> bool:
    """Return whether a name is given the value: after a space only ``ENV NAME``, ``--name``."""
    if found["space"] is None:
        return True
    name = _NAME.search(data[max(0, at - _LONGEST_NAME) : at])
    start = at - len(name[0]) if name else at
    return data.startswith(b"-", start) or data[max(0, start - 4) : start] == b"ENV "


def _values(found: re.Match[bytes]) -> Iterator[tuple[int, int]]:
    """Yield the places of the literals, or of the one word without quotes, that follow a name."""
    start = found.start("values")
    literals = list(_LITERAL.finditer(found["values"]))
    if not literals:
        yield start, found.end("values")
    for literal in literals:
        yield start + literal.start(1), start + literal.end(1)


def places_of(literal: bytes, data: bytes, until: float = math.inf) -> Iterator[int]:
    """Yield each offset of the literal in the data, in bytes.

    Raises:
        TimeoutError: the monotonic clock is past ``until``.
    """
    at = data.find(literal)
    while at >= 0:
        if time.monotonic() > until:
            raise TimeoutError("it took too long")
        yield at
        at = data.find(literal, at + 1)


def _name_of(data: bytes, at: int) -> str:
    """Return the part of a name before an offset; the ``-`` of a diff's line is none."""
    found = _NAME.search(data[max(0, at - _LONGEST_NAME) : at])
    return found[0].decode("latin-1").lstrip("-.") if found else ""


def _in_addresses(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the places of passwords, and of tokens that stand for a user, in addresses."""
    for found in _ADDRESS.finditer(data) if b"://" in data else ():
        user, value = found["user"].decode("latin-1"), (found["value"] or b"").decode("latin-1")
        if value and user != value and not _is_placeholder(value):
            yield found.span("value")
        elif len(user) >= _SHORTEST_TOKEN and looks_generated(user):
            yield found.span("user")


def _in_logins(data: bytes) -> Iterator[tuple[int, int]]:
    """Yield the places of passwords in options of commands."""
    for found in _LOGIN.finditer(data) if any(option in data for option in _OPTIONS) else ():
        group = "value" if found["value"] else "password"
        if looks_generated(found[group].decode("latin-1")):
            yield found.span(group)


_OPTIONS = (b"-u ", b"--user", b" -p")


def _is_secret(name: str, value: str, *, quoted: bool, loose: bool) -> bool:
    words = words_of(name)
    if _is_placeholder(value) or value.startswith(("/", "./", "../", "~/")):
        return False
    if words in (["key"], ["token"]):
        return len(value) >= _SHORTEST_OF_BARE_NAME and looks_generated(value)
    if not loose:
        if len(value) < _SHORTEST_IN_CODE:
            return False
        return looks_generated(value) and (quoted or "." not in value)
    if any(CERTAIN_WORDS.fullmatch(word) for word in words):
        return len(value) >= _SHORTEST_PASSWORD
    if len(value) >= _SHORTEST_TOKEN:
        return looks_random(value)
    return len(value) >= _SHORTEST_IN_CODE and looks_generated(value)
