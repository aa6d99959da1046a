"""Which files look as if they held a secret: by their name, or by a token in their text.

Stricter than :mod:`wandb_repro.capture.secrets`: an argument cut in error has to be typed again, a
source file left out in error makes the run unrepeatable. So only shapes that nothing else has.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections import Counter
from typing import NamedTuple

__all__ = ["SCANNED_BYTES", "secret_in_name", "secret_in_text"]

SCANNED_BYTES = 1_000_000
"""Files from this size on are data, not settings or code; they are not searched."""

_NAMES = (
    ".env",
    ".env.*",
    "*.pem",
    "*.key",
    "*.p12",
    "*.pfx",
    "id_rsa*",
    "id_ed25519*",
    "id_ecdsa*",
    ".netrc",
    "_netrc",
    ".pypirc",
    ".git-credentials",
    "credentials",
    "credentials.*",
    "service-account*.json",
    "service_account*.json",
)
_FOLDERS = (".aws", ".ssh", ".gnupg")
_PUBLIC = ("*.example", "*.sample", "*.template", "*.dist", "*.pub", "*.py", "*.ipynb", "*.md")
_SECRET, _HARMLESS = (re.compile("|".join(map(fnmatch.translate, n))) for n in (_NAMES, _PUBLIC))


class _Token(NamedTuple):
    name: str
    literal: bytes
    """Must be in the text for the pattern to match; searching it is much faster."""
    pattern: re.Pattern[bytes]


_TOKENS = (
    _Token("an AWS access key", b"A", re.compile(rb"\b(?:AKIA|ASIA)[0-9A-Z]{16}\b")),
    _Token("a GitHub token", b"gh", re.compile(rb"\bgh[pousr]_[0-9A-Za-z]{36,255}\b")),
    _Token("a GitHub token", b"github_pat_", re.compile(rb"\bgithub_pat_[0-9A-Za-z_]{22,255}\b")),
    _Token(
        "a private key",
        b"PRIVATE KEY-----",
        re.compile(rb"-----BEGIN (?:[A-Z]+ )*PRIVATE KEY-----\s+[0-9A-Za-z+/=\-:, ]{16}"),
    ),
    _Token("a Slack token", b"xox", re.compile(rb"\bxox[abeoprs]-[0-9A-Za-z-]{20,255}\b")),
    _Token(  # a long run of signs: words have hyphens between them
        "an API key",
        b"sk-",
        re.compile(rb"(?<![\w-])sk-[\w-]{0,99}?[0-9A-Za-z]{20}[\w-]{0,199}"),
    ),
    _Token("a Hugging Face token", b"hf_", re.compile(rb"\bhf_[0-9A-Za-z]{30,255}\b")),
    _Token("a Google API key", b"AIza", re.compile(rb"\bAIza[\w-]{35}(?![\w-])")),
    _Token("a GitLab token", b"glpat-", re.compile(rb"\bglpat-[\w-]{20,255}")),
    _Token("a W&B API key", b"wandb_v", re.compile(rb"\bwandb_v[0-9]_[0-9A-Za-z_]{20,255}")),
    _Token(
        "a W&B API key",
        b"WANDB_API_KEY",
        re.compile(rb"WANDB_API_KEY[^0-9A-Za-z]{1,8}(?:local-)?[0-9a-f]{40}\b"),
    ),
)
_RANDOM_BITS = 3.0
"""Bits a sign from which on a text is taken for random: words joined by hyphens have less."""


def secret_in_name(path: bytes) -> str:
    """Return why a path looks secret, or an empty string."""
    folders, _, name = path.decode("utf-8", "replace").lower().rpartition("/")
    for folder in _FOLDERS:
        if folder in folders and folder in folders.split("/"):
            return f"it lies in {folder}"
    if _SECRET.match(name) is None or _HARMLESS.match(name) is not None:
        return ""
    return next(f"it is named like {like}" for like in _NAMES if fnmatch.fnmatchcase(name, like))


def secret_in_text(data: bytes) -> str:
    """Return which kind of token a file's bytes hold, or an empty string.

    A binary file (one that holds a NUL) is not searched, nor one of :data:`SCANNED_BYTES` or more.
    """
    if len(data) >= SCANNED_BYTES or b"\0" in data:
        return ""
    for token in _TOKENS:
        if token.literal in data and any(
            _looks_random(match[0]) for match in token.pattern.finditer(data)
        ):
            return f"it holds {token.name}"
    return ""


def _looks_random(text: bytes) -> bool:
    """Return whether a match is more than a placeholder such as ``sk-xxxxxxxx`` or plain words."""
    counts = Counter(text).values()
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
    return bits >= _RANDOM_BITS and re.search(rb"[0-9]", text) is not None
