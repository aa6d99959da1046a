"""By which names and shapes credentials are known."""

from __future__ import annotations

import re

__all__ = [
    "CERTAIN_WORDS",
    "COMMIT_ENDS",
    "HARMLESS_ENDS",
    "HARMLESS_STARTS",
    "PLAIN_VALUE",
    "SECRET_WORDS",
    "SHAPES",
    "WANDB_KEY",
]

SHAPES: tuple[re.Pattern[str], ...] = (
    re.compile(r"-----BEGIN [A-Z ]*PRIVATE KEY-----.*", re.DOTALL),
    re.compile(r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b"),  # AWS
    re.compile(r"\bgh[pousr]_[A-Za-z0-9]{36,}\b"),  # GitHub
    re.compile(r"\bgithub_pat_[A-Za-z0-9_]{22,}\b"),
    re.compile(r"\bglpat-[\w-]{20,}"),  # GitLab
    re.compile(r"\bxox[abeoprs]-[A-Za-z0-9-]{10,}"),  # Slack
    re.compile(r"(?<=hooks\.slack\.com/services/)[\w/]+"),
    re.compile(r"\bhf_[A-Za-z0-9]{30,}\b"),  # Hugging Face
    re.compile(r"\bAIza[\w-]{35}"),  # Google
    # OpenAI, Anthropic and others: a digit tells them from words such as sk-learn-something.
    re.compile(r"(?<![\w-])sk-(?=[\w-]*\d)[\w-]{20,}"),
    re.compile(r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]*"),  # JSON web token
    re.compile(r"\bwandb_v\d+_[A-Za-z0-9_]{20,}"),  # W&B
    re.compile(r"(?i:(?<=\bbearer )|(?<=\bbasic ))[\w.~+/=-]{8,}"),
)
"""Tokens whose issuers gave them a shape."""

WANDB_KEY = re.compile(r"(?<![\w/@])(?:local-)?[0-9a-f]{40}(?!\w)")
"""W&B's API key, which looks like a git commit: not after ``/`` or ``@``, where commits stand."""

SECRET_WORDS = re.compile(
    r"passw.*|passphrase|pwd|secrets?|credentials?|auth|authorization|bearer"
    r"|token|key|(?:api|access|secret|private|auth)(?:key|token)"
)
CERTAIN_WORDS = re.compile(r"passw.*|passphrase|pwd|secrets?")
"""Of those, the words after which even ``123`` and ``true`` are a secret."""

HARMLESS_ENDS = re.compile(
    r"backend|class|column|count|dim|dims|dir|dropout|env|field|file|files|folder|format|id"
    r"|ids|index|len|length|level|limit|metric|method|mode|name|names|num|number|path|paths"
    r"|prefix|provider|rate|region|scheme|size|strategy|suffix|type|types|url"
)
"""``--secret-name``, ``--key-metric``: names of a thing about secrets, or of no secret at all."""

HARMLESS_STARTS = re.compile(
    r"attention|batch|bos|cache|checkpoint|cls|column|config|data|dataset|dict|eos|eot|feature"
    r"|field|first|foreign|group|image|input|label|last|map|mask|max|metric|min|model|monitor"
    r"|new|no|num|output|pad|partition|per|prediction|primary|public|random|rng|sample|sep"
    r"|sort|special|state|target|text|unk|vocab|weight|x|y"
)
"""``--sort-key``, ``--pad-token``, ``--no-auth``: what makes ``key``, ``token``, ``auth`` tame."""

COMMIT_ENDS = re.compile(
    r"branch|checkpoint|checksum|commit|digest|hash|id|md5|ref|rev|revision|sha|sha1|tag|tree"
    r"|version"
)
"""Names after which 40 hexadecimal digits are not W&B's key."""

PLAIN_VALUE = re.compile(r"-?[\d._]{1,8}(e-?\d+)?|true|false|yes|no|on|off|none|null|auto|", re.I)
"""What nobody keeps secret: small numbers, switches."""
