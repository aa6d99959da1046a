"""Credentials in source code: people paste them into notebook cells.

Stricter than ``redact_text``, which is for command lines: in ``token=tokenizer`` the value is a
name, so in code only quoted values count.
"""

from __future__ import annotations

import re

from wandb_repro.capture.secrets.redact import (
    PAIR,
    REDACTED,
    redact_arguments,
    redact_text,
    without_tokens,
    without_value,
)


def holds_a_credential(code: str) -> bool:
    """Return whether source code holds a credential. Only literals count, so not ``key=len``."""
    literals = (found for found in PAIR.finditer(code) if found["value"][0] in "\"'")
    if any(without_value(found) != found[0] for found in literals):
        return True
    return without_tokens(code) != code


_ENTRY = re.compile(
    r"""(?:\[\s*(?P<key>"[^"\n]+"|'[^'\n]+')\s*\]\s*=|"""
    r"""(?:setdefault|putenv|setenv)\(\s*(?P<name>"[^"\n]+"|'[^'\n]+')\s*,)\s*"""
    r"""(?P<value>"[^"\n]+"|'[^'\n]+')"""
)
"""``environ["NAME"] = "value"``, ``setdefault("NAME", "value")``."""


_COMMAND = re.compile(r"^\s*(?:[\w, ]+=\s*)?[%!]")
"""A magic or a shell command, which is redacted like a command line."""


def redact_source(source: str) -> str:
    """Return a cell's source with each credential replaced by ``<redacted>``."""
    shell = re.match(r"\s*%%(?:bash|sh|script|system|sx|!|env|writefile)\b", source) is not None
    lines = source.split("\n")
    redacted = [_redact_command(line) if shell or _COMMAND.match(line) else line for line in lines]
    text = PAIR.sub(_quoted_value, without_tokens("\n".join(redacted)))
    return _ENTRY.sub(_entry, text)


def _redact_command(line: str) -> str:
    """Return a command with its credentials redacted and its whitespace unchanged."""
    words = re.split(r"(\s+)", redact_text(line))
    words[::2] = redact_arguments(words[::2])[0]
    return "".join(words)


def _quoted_value(found: re.Match[str]) -> str:
    return redact_text(found[0]) if found["value"][0] in "\"'" else found[0]


def _entry(found: re.Match[str]) -> str:
    """Redact the value as in ``NAME=value`` on a command line."""
    name, value = (found["key"] or found["name"]).strip("\"'"), found["value"].strip("\"'")
    if redact_text(f"{name}={value}") == f"{name}={value}":
        return found[0]
    return found[0].removesuffix(found["value"]) + found["value"].replace(value, REDACTED)
