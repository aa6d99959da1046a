"""What looks like a credential is cut from arguments and addresses before they are recorded.

Names tell most of them (``--api-key X``, ``password=X``, ``?token=X``), shapes the rest. A value
cut in error only has to be given again on a rerun; a value missed is published.

Credentials in the source of a notebook's cells: people paste them there.

In code ``cut_source`` is stricter than ``cut_text``, which is for command lines:
``token=tokenizer`` is a name, and only what is quoted is a value.
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

__all__ = ["REDACTED", "cut_arguments", "cut_source", "cut_text", "cut_url", "holds_a_credential"]


REDACTED = "<redacted>"

SHAPES: tuple[re.Pattern[str], ...] = (
    re.compile(r"-----BEGIN [A-Z0-9 ]*PRIVATE KEY(?: BLOCK)?-----.*", re.DOTALL),
    *(re.compile(token.pattern, re.ASCII) for token in TOKENS),
    re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),
    re.compile(r"(?<=hooks\.slack\.com/services/)[\w/]+"),
    # OpenAI, Anthropic and others: a digit tells them from words such as sk-learn-something.
    re.compile(r"(?<![\w-])sk-(?=[\w-]*\d)[\w-]{20,}"),
    re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),
    re.compile(r"(?i:(?<=\bbearer )|(?<=\bbasic ))[\w.~+/=-]{8,}"),
)
"""Tokens whose issuers gave them a shape, here less strict than in files."""

PAIR = re.compile(
    r"""(?<![\w.\-])(?P<before>(?P<quote>["']?)(?P<name>[A-Za-z][\w.\-]*)(?P=quote)"""
    r"""(?:\s*=\s*|(?<=["'])\s*:\s*|:\s+)(?i:(?:bearer|basic|token)\s+)?)"""
    r"""(?P<value>"[^"]*"|'[^']*'|[^"',;&\s{}\[\]]+)"""
)
"""``name=value``, ``"name": value``, ``name: value`` anywhere in a text."""

USERINFO = re.compile(r"(?<![\w+.\-])(?P<scheme>[A-Za-z][\w+.\-]*://)(?P<userinfo>[^/\s?#]*)@")
SIGNATURE = re.compile(r"(?<=[?&])((?:x-[\w-]*|sig(?:nature)?)=)[^&\s#]+", re.IGNORECASE)
"""Query parameters that sign an address at AWS, Google and Azure."""


def cut_arguments(arguments: Sequence[str]) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """Return the arguments without their credentials, and the positions that lost something."""
    cut = tuple(
        _cut_argument(argument, _asked_by(before))
        for before, argument in zip(("", *arguments), arguments, strict=False)
    )
    changed = (at for at, pair in enumerate(zip(arguments, cut, strict=True)) if pair[0] != pair[1])
    return cut, tuple(changed)


def cut_text(text: str) -> str:
    """Return the text with what looks like a credential replaced by ``<redacted>``."""
    text = USERINFO.sub(_without_password, text)
    text = SIGNATURE.sub(rf"\1{REDACTED}", text)
    text = PAIR.sub(_without_value, text)
    for shape in SHAPES:
        text = shape.sub(REDACTED, text)
    return WANDB_KEY.sub(REDACTED, text)


def cut_url(url: str) -> str:
    """Return an address without user, password, query and fragment.

    The user ``git`` stays: with SSH it is part of the address and no secret.
    """
    if "://" not in url:
        return cut_text(re.sub(r"^(?!git@)[^/@\s]+@(?=[^/\s]+:)", "", url))
    try:
        parts = urlsplit(url)
    except ValueError:
        return cut_text(url.split("?")[0])
    host = parts.netloc.rpartition("@")[2]
    keep = "git@" if parts.scheme == "ssh" and parts.netloc.startswith("git@") else ""
    return cut_text(urlunsplit((parts.scheme, keep + host, parts.path, "", "")))


def holds_a_credential(code: str) -> bool:
    """Tell whether source code holds a credential. ``key=len`` is none: only literals count."""
    literals = (found for found in PAIR.finditer(code) if found["value"][0] in "\"'")
    if any(_without_value(found) != found[0] for found in literals):
        return True
    return any(shape.search(code) for shape in (*SHAPES, WANDB_KEY))


def _asked_by(before: str) -> str:
    """Return the name of the option that takes the next argument as its value, or nothing."""
    return before if before.startswith("-") and "=" not in before else ""


def _cut_argument(argument: str, option: str) -> str:
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
    return cut_text(argument)


def _is_secret(name: str, value: str) -> bool:
    if value in ("", REDACTED) or not names_a_secret(name):
        return False
    certain = any(CERTAIN_WORDS.fullmatch(word) for word in words_of(name))
    return certain or not PLAIN_VALUE.fullmatch(value)


def _without_value(found: re.Match[str]) -> str:
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


_ENTRY = re.compile(
    r"""(?:\[\s*(?P<key>"[^"\n]+"|'[^'\n]+')\s*\]\s*=|"""
    r"""(?:setdefault|putenv|setenv)\(\s*(?P<name>"[^"\n]+"|'[^'\n]+')\s*,)\s*"""
    r"""(?P<value>"[^"\n]+"|'[^'\n]+')"""
)
"""``environ["NAME"] = "value"``, ``setdefault("NAME", "value")``."""

_COMMAND = re.compile(r"^\s*(?:[\w, ]+=\s*)?[%!]")
"""A magic or a command of the shell: its words are those of a command line."""


def cut_source(source: str) -> str:
    """Return a cell's source with each credential in it replaced by ``<redacted>``."""
    shell = re.match(r"\s*%%(?:bash|sh|script|system|sx|!|env|writefile)\b", source) is not None
    lines = source.split("\n")
    cut = [_cut_command(line) if shell or _COMMAND.match(line) else line for line in lines]
    text = PAIR.sub(_quoted_value, "\n".join(cut))
    text = _ENTRY.sub(_entry, text)
    for shape in (*SHAPES, WANDB_KEY):
        text = shape.sub(REDACTED, text)
    return text


def _cut_command(line: str) -> str:
    """Return a command without its credentials; blanks stay as they are."""
    words = re.split(r"(\s+)", cut_text(line))
    words[::2] = cut_arguments(words[::2])[0]
    return "".join(words)


def _quoted_value(found: re.Match[str]) -> str:
    return cut_text(found[0]) if found["value"][0] in "\"'" else found[0]


def _entry(found: re.Match[str]) -> str:
    """Cut the value as if the pair stood on a command line: ``NAME=value``."""
    name, value = (found["key"] or found["name"]).strip("\"'"), found["value"].strip("\"'")
    if cut_text(f"{name}={value}") == f"{name}={value}":
        return found[0]
    return found[0].removesuffix(found["value"]) + found["value"].replace(value, REDACTED)
