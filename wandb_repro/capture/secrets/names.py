"""Names of options, keys and parameters that hold credentials."""

from __future__ import annotations

import re

WANDB_KEY = re.compile(r"(?<![\w/@])(?:local-)?[0-9a-f]{40}(?!\w)")
"""W&B's API key, which looks like a git commit: not after ``/`` or ``@``, as commits are."""

SECRET_WORDS = re.compile(
    r"pass|passw.*|passphrase|pwd|secrets?|creds?|credentials?|auth|authorization|bearer|login"
    r"|token|key|apikeys?|(?:db|my|user|admin|root)(?:pass|pwd)\w*"
    r"|(?:api|access|secret|private|auth|account|signing|license)(?:key|token|password)"
)
CERTAIN_WORDS = re.compile(r"passw.*|passphrase|pwd|secrets?|\w+password|(?:db|my)(?:pass|pwd)")
"""Words after which even ``123`` and ``true`` are secrets."""

HARMLESS_ENDS = re.compile(
    r"backend|class|column|count|dim|dims|dir|dropout|env|field|file|files|folder|format|id"
    r"|ids|index|len|length|level|limit|metric|method|mode|name|names|num|number|path|paths"
    r"|prefix|provider|rate|region|scheme|size|strategy|suffix|type|types|url"
)
"""``--secret-name``, ``--key-metric``: names about secrets, or unrelated to them."""

HARMLESS_STARTS = re.compile(
    r"attention|batch|bos|cache|checkpoint|cls|column|config|data|dataset|dict|eos|eot|feature"
    r"|field|first|foreign|group|image|input|label|last|map|mask|max|metric|min|model|monitor"
    r"|new|no|num|output|pad|partition|per|prediction|primary|public|random|rng|sample|sep"
    r"|sort|special|state|target|text|unk|vocab|weight|x|y"
)
"""``--sort-key``, ``--pad-token``, ``--no-auth``: words that make ``key`` or ``token`` harmless."""

_BEFORE_KEY = re.compile(
    r"access|account|admin|api|app|auth|bearer|bot|client|deploy|encryption|github|hf|id|license"
    r"|master|oauth|personal|private|refresh|registry|secret|service|session|shared|signing"
    r"|storage|user|wandb"
)
"""``X-Api-Key``, ``--data-access-token``: words that make ``key`` or ``token`` a secret."""

COMMIT_ENDS = re.compile(
    r"branch|checkpoint|checksum|commit|digest|hash|id|md5|ref|rev|revision|sha|sha1|tag|tree"
    r"|version"
)
"""Names after which 40 hexadecimal digits are not W&B's key."""

PLAIN_VALUE = re.compile(r"-?[\d._]{1,8}(e-?\d+)?|true|false|yes|no|on|off|none|null|auto|", re.I)
"""Values that are never secret: small numbers, switches."""


def names_a_secret(name: str) -> bool:
    """Return whether an option, key or parameter of this name holds a credential."""
    words = words_of(name)
    if not words or HARMLESS_ENDS.fullmatch(words[-1]):
        return False
    if any(CERTAIN_WORDS.fullmatch(word) for word in words):
        return words[0] != "no"
    if not SECRET_WORDS.fullmatch(words[-1]):
        return words[-1] == "value" and names_a_secret("-".join(words[:-1]))
    if len(words) > 1 and words[-1] in ("key", "token") and _BEFORE_KEY.fullmatch(words[-2]):
        return words[0] != "no"
    return not any(map(HARMLESS_STARTS.fullmatch, words[:-1]))


def words_of(name: str) -> list[str]:
    """Return the words of ``--api-key``, ``apiKey``, ``API_KEY``, ``model.api_key``."""
    spaced = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", " ", name.rpartition(".")[2])
    return re.findall(r"[a-z0-9]+", spaced.lower())
