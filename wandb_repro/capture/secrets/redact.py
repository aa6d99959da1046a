"""Removes what looks like a credential from arguments, texts and URLs before they are recorded.

Most are recognised by a name (``--api-key X``, ``password=X``, ``?token=X``), the rest by their
format. A value redacted in error must be passed again on a rerun; a value missed is published.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from urllib.parse import urlsplit, urlunsplit

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

SHAPES: tuple[re.Pattern[str], ...] = (
    re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*", re.DOTALL),
    *(re.compile(token.pattern, re.ASCII) for token in TOKENS),
    re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"(?<=hooks\.slack\.com/services/)[\w/]+"),
    # OpenAI, Anthropic and others. The digit excludes words such as sk-learn-something.
    re.compile(r"(?<![\w-])sk-(?=[\w-]*\d)[\w-]{20,}"),
    re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    re.compile(r"(?i:(?<=\bbearer )|(?<=\bbasic ))[\w.~+/=-]{8,}"),
)
"""Tokens with a fixed format; here shorter ones match than in files."""

PAIR = re.compile(
    r"""(?<![\w.\-])(?P<before>(?P<quote>["']?)(?P<name>[A-Za-z][\w.\-]*)(?P=quote)"""
    r"""(?:\s*=\s*|(?<=["'])\s*:\s*|:\s+)(?i:(?:bearer|basic|token)\s+)?)"""
    r"""(?P<value>"[^"]*"|'[^']*'|[^"',;&\s{}\[\]]+)"""
)
"""``name=value``, ``"name": value``, ``name: value`` anywhere in a text."""

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
    text = PAIR.sub(without_value, text)
    for shape in SHAPES:
        text = shape.sub(REDACTED, text)
    return WANDB_KEY.sub(REDACTED, text)


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


def _redact_argument(argument: str, option: str) -> str:
    if option and not argument.startswith("-") and _is_secret(option, argument):
        return REDACTED
    name, equals, value = argument.partition("=")
    if equals and re.fullmatch(r"[-+~\w.@]+", name):
        if _is_secret(name, value):
            return f"{name}={REDACTED}"
        option = name
    words = words_of(option)
    if words and COMMIT_ENDS.fullmatch(words[-1]) and WANDB_KEY.fullmatch(value or argument):
        return argument
    return redact_text(argument)


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
