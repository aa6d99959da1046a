"""Credentials in the source of a notebook's cells: people paste them there.

Stricter than :func:`wandb_repro.capture.secrets.cut_text`, which is for command lines: in code
``token=tokenizer`` is a name, and only what stands in quotes is a value.
"""

from __future__ import annotations

import re

from wandb_repro.capture.secret_names import WANDB_KEY
from wandb_repro.capture.secrets import PAIR, REDACTED, SHAPES, cut_arguments, cut_text

__all__ = ["cut_source"]

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
