"""Removes what looks like a credential from arguments, texts and URLs before they are recorded.

Most are recognised by a name (``--api-key X``, ``password=X``, ``?token=X``), the rest by their
format. A value redacted in error must be passed again on a rerun; a value missed is published.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

from wandb_repro.capture.secrets.assigned_values import secret_values
from wandb_repro.capture.secrets.issued_tokens import token_spans
from wandb_repro.capture.secrets.names import (
    CERTAIN_WORDS,
    COMMIT_ENDS,
    PLAIN_VALUE,
    WANDB_KEY,
    names_a_secret,
    words_of,
)
from wandb_repro.capture.secrets.token_patterns import TOKENS

REDACTED = "<redacted>"

_SHAPES: tuple[re.Pattern[str], ...] = (
    re.compile(
        r"-{4,5} ?BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)? ?-{4,5}.*?"
        r"(?:-{4,5} ?END [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)? ?-{4,5}|\Z)",
        re.DOTALL,
    ),
    # A diff may show lines of a key without its first line.
    re.compile(r"(?m)(?<=^[-+ ])[ \t\"']*[A-Za-z0-9+/]{50,}={0,2}(?:\\n|[\"', \t\r])*$"),
    *(re.compile(token.pattern, re.ASCII) for token in TOKENS),
    # OpenAI and others. The digit excludes words such as sk-learn-something.
    re.compile(r"(?<![\w-])sk-(?=[\w-]*\d)[\w-]{20,}"),
    re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"(?i:(?<=\bbearer )|(?<=\bbasic ))[\w.~+/=-]{8,}"),
    WANDB_KEY,
)
"""Tokens with a fixed format; here shorter ones match than in files."""

PAIR = re.compile(
    # A dash begins an option, or a line of a diff.
    r"""(?:(?<![\w.\-])|(?<=^-)|(?<=[^\w.\-]-)|(?<=[^\w.\-]--)|(?<=^--))(?P<before>(?P<quote>["']?)(?P<name>[A-Za-z][\w.\-]*)(?P=quote)"""
    r"""(?:\s*=\s*|(?<=["'])\s*:\s*|:\s+)(?i:(?:bearer|basic|token)\s+)?)"""
    r"""(?P<value>"[^"]*"|'[^']*'|[^"',;&\s{}\[\]]+)"""
)
"""``name=value``, ``"name": value``, ``name: value`` anywhere in a text."""

_BRACED = re.compile(r"(?P<before>(?<=[{,])(?P<name>[A-Za-z][\w.\-]*):)(?P<value>[^\s\"',;{}]+)")
"""``{name:value,name:value}``, as Hydra takes it."""

USERINFO = re.compile(r"(?<![\w+.\-])(?P<scheme>[A-Za-z][\w+.\-]*://)(?P<userinfo>[^/\s?#]*)@")
SIGNATURE = re.compile(r"(?<=[?&])((?:x-[\w-]*|sig(?:nature)?)=)[^&\s#]+", re.IGNORECASE)
"""Query parameters that sign a URL of AWS, Google or Azure."""


def redact_arguments(arguments: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the arguments without credentials, and the positions (from 0) that changed.

    ``redact_arguments(["--api-key", "x7Kp2m"])`` is ``("--api-key", "<redacted>"), (1,)``.
    """
    redacted = tuple(
        _redact_argument(argument, _option(before))
        for before, argument in zip(("", *arguments), arguments, strict=False)
    )
    pairs = enumerate(zip(arguments, redacted, strict=True))
    return redacted, tuple(position for position, (before, after) in pairs if before != after)


def redact_text(text: str) -> str:
    """Return the text with everything that looks like a credential replaced by ``<redacted>``."""
    text = USERINFO.sub(_without_password, text)
    text = SIGNATURE.sub(rf"\1{REDACTED}", text)
    text = without_tokens(text)
    return _BRACED.sub(without_value, PAIR.sub(without_value, text))


def without_tokens(text: str) -> str:
    """Return the text without issued tokens, and without random values of secrets' names."""
    for shape in _SHAPES:
        text = shape.sub(REDACTED, text)
    data = text.encode("utf-8", "surrogatepass")
    places = sorted({*token_spans(data), *secret_values(data)}, reverse=True)
    begun = len(data)
    for start, end in places:
        if end <= begun:
            data = data[:start] + REDACTED.encode() + data[end:]
            begun = start
    return data.decode("utf-8", "surrogatepass")


def redact_url(url: str) -> str:
    """Return a URL without user, password, query and fragment.

    ``https://ada:secret@host/repo.git?x=1`` becomes ``https://host/repo.git``. The user ``git``
    stays: with SSH it is part of the address.
    """
    if "://" not in url:
        return redact_text(re.sub(r"^(?!git@)[^/@\s]+@(?=[^/\s]+:)", "", url))
    try:
        parts = urlsplit(url)
    except ValueError:
        return redact_text(url.split("?")[0])
    host = parts.netloc.rpartition("@")[2]
    keep = "git@" if parts.scheme == "ssh" and parts.netloc.startswith("git@") else ""
    return redact_text(urlunsplit((parts.scheme, keep + host, parts.path, "", "")))


def _option(before: str) -> str:
    """Return an option that takes the next argument as its value; empty for anything else."""
    return before if before.startswith("-") and "=" not in before else ""


_LOGIN_OPTIONS = ("-u", "--user", "--userpwd", "--proxy-user", "-U")
"""Of curl and its like: their value is ``name:password``."""
_LOGIN = re.compile(r"([^\s:/@]+):([^/\s\\][^\s]*)")
# Not -path2data.
_PASSWORD_OPTION = re.compile(r"-p(?=(?:[A-Z]?[a-z]{0,3}[0-9]{1,3}|[A-Z]{1,3}){2}|.*[A-Z].*[0-9])")


def _redact_argument(argument: str, option: str) -> str:
    if option and _takes(option, argument) and _is_secret(option, argument):
        return REDACTED
    if option in _LOGIN_OPTIONS and (login := _LOGIN.fullmatch(argument)):
        return f"{login[1]}:{REDACTED}"
    if option == "-p" and _looks_like_a_password(argument):
        return REDACTED
    if _PASSWORD_OPTION.match(argument) and _looks_like_a_password(argument[2:]):
        return f"-p{REDACTED}"
    name, equals, value = argument.partition("=")
    if equals and re.fullmatch(r"[-+~\w.@]+", name):
        if _is_secret(name, value):
            return f"{name}={REDACTED}"
        option = name
    words = words_of(option)
    if words and COMMIT_ENDS.fullmatch(words[-1]) and WANDB_KEY.fullmatch(value or argument):
        return argument
    return redact_text(argument)


def _takes(option: str, argument: str) -> bool:
    """Return whether an argument is an option's value and no further option."""
    if not argument.startswith("-"):
        return True
    certain = any(CERTAIN_WORDS.fullmatch(word) for word in words_of(option))
    return certain and not re.match(r"--|-[A-Za-z]$", argument)


def _looks_like_a_password(value: str) -> bool:
    """Return whether the value of ``-p`` is a password, and no port, path, number or word."""
    return len(value) >= _SHORTEST and bool(_MIXED.match(value)) and not _PATH.search(value)


_SHORTEST = 6
_MIXED = re.compile(r"(?=.*[0-9])(?=.*[A-Za-z])")
_PATH = re.compile(r"[/\\=:]|\.\w{1,5}$")


def _is_secret(name: str, value: str) -> bool:
    if value in ("", REDACTED) or not names_a_secret(name):
        return False
    certain = any(CERTAIN_WORDS.fullmatch(word) for word in words_of(name))
    return certain or not PLAIN_VALUE.fullmatch(value)


def without_value(found: re.Match[str]) -> str:
    """Return a match of :data:`PAIR`, its value redacted if the name is a secret's."""
    value = found["value"].strip("\"'")
    if not _is_secret(found["name"], value):
        return found[0]
    return found["before"] + found["value"].replace(value, REDACTED)


def _without_password(found: re.Match[str]) -> str:
    user, colon, _ = found["userinfo"].partition(":")
    if colon:
        return f"{found['scheme']}{user}:{REDACTED}@"
    is_name = found["scheme"].startswith("ssh") or not user
    return found[0] if is_name else f"{found['scheme']}{REDACTED}@"
