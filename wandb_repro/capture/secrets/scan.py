"""Which files look as if they held a secret: by their name, or by what stands in their text.

Stricter than ``redact``: an argument cut in error has to be typed again, a source
file left out in error makes the run unrepeatable. So only shapes that nothing else has,
and values that are named as secrets and look like some.

Passwords and keys that a file gives to a name: ``db_password = ...``, ``api_key: "..."``.

No shape tells these. What does is the name, and a value that is neither a placeholder nor a plain
word; in code only a literal that looks random.
"""

from __future__ import annotations

import fnmatch
import math
import re
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from wandb_repro.capture.secrets.names import CERTAIN_WORDS, PLAIN_VALUE, names_a_secret, words_of
from wandb_repro.capture.secrets.token_patterns import LINES, TOKENS

__all__ = [
    "SCANNED_BYTES",
    "looks_random",
    "places_of",
    "secret_in_name",
    "secret_in_text",
    "secret_setting",
]


SCANNED_BYTES = 1_000_000
"""Files from this size on are data, not settings or code; they are not searched."""

_NAMES = (
    *(".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx"),
    *("*.ppk", "*.ovpn", "id_rsa*", "id_ed25519*", "id_ecdsa*", "id_dsa*"),
    *(".netrc", "_netrc", ".pypirc", ".git-credentials", ".pgpass", ".my.cnf", ".mylogin.cnf"),
    *(".htpasswd", "htpasswd", ".s3cfg", ".boto", ".dockercfg", "kaggle.json", "kubeconfig"),
    *("credentials", "credentials.*", "secrets.toml", "secrets.y*ml", "secrets.json"),
    *("service-account*.json", "service_account*.json", "client_secret*.json"),
)
_FOLDERS = (".aws", ".ssh", ".gnupg", ".kube", "gcloud")
_PUBLIC = ("*.example", "*.sample", "*.template", "*.dist", "*.pub", "*.py", "*.ipynb", "*.md")
_SECRET, _HARMLESS = (re.compile("|".join(map(fnmatch.translate, n))) for n in (_NAMES, _PUBLIC))


class _Kind(NamedTuple):
    name: str
    literals: tuple[bytes, ...]
    pattern: re.Pattern[bytes]
    before: int

    def stands_in(self, data: bytes) -> bool:
        """Tell whether the data holds a secret of this kind.

        A pattern is tried only where its literal stands: tried at each byte it would take 30
        times as long.
        """
        try_at = self.pattern.search if self.before else self.pattern.match
        longest = _LONGEST_BYTES if not self.before else _LONGEST_BYTES // 8
        return any(
            (found := try_at(data, max(0, at - self.before), at + longest))
            and looks_random(found[0].decode("latin-1"))
            for literal in self.literals
            for at in places_of(literal, data)
        )


_LONGEST_BYTES = 1000
"""From its literal on; more of a secret need not be seen to know it."""

_KINDS = tuple(
    _Kind(
        token.name,
        tuple(literal.encode() for literal in token.literals),
        re.compile(token.pattern.encode()),
        token.before,
    )
    for token in (*TOKENS, *LINES)
)


def secret_in_name(path: bytes) -> str:
    """Return why a path looks secret, or an empty string."""
    folders, _, name = path.decode("utf-8", "replace").lower().rpartition("/")
    for folder in _FOLDERS:
        if folder in folders and folder in folders.split("/"):
            return f"it lies in {folder}"
    if name == "config.json" and folders.split("/")[-1] == ".docker":
        return "it lies in .docker"
    if _SECRET.match(name) is None or _HARMLESS.match(name) is not None:
        return ""
    return next(f"it is named like {like}" for like in _NAMES if fnmatch.fnmatchcase(name, like))


def secret_in_text(data: bytes, path: bytes = b"") -> str:
    """Return which kind of secret a file's bytes hold, or an empty string.

    A binary file (one that holds a NUL) is not searched, nor one of :data:`SCANNED_BYTES` or more.

    Args:
        data: the file.
        path: in files of settings, by their ending, values need no quotes.
    """
    if len(data) >= SCANNED_BYTES or b"\0" in data:
        return ""
    for kind in _KINDS:
        if kind.stands_in(data):
            return f"it holds {kind.name}"
    return secret_setting(data, path)


_RANDOM_BITS = 3.0
"""Bits a sign from which on a text is taken for random: words joined by hyphens have less."""

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
    """Return whether a text is more than a placeholder such as ``sk-xxxxxxxx`` or plain words."""
    counts = Counter(text).values()
    bits = -sum(count / len(text) * math.log2(count / len(text)) for count in counts)
    return bits >= _RANDOM_BITS and re.search(r"[0-9]", text) is not None


def _is_placeholder(value: str) -> bool:
    """Return whether a value stands for one: a word, a variable, an expression, a switch."""
    return bool(
        PLAIN_VALUE.fullmatch(value) or _EXPRESSION.search(value) or _PLACEHOLDER.fullmatch(value)
    )


def secret_setting(data: bytes, path: bytes) -> str:
    """Return what a file sets that looks like a secret, or an empty string. Never the value."""
    for found in _ADDRESS.finditer(data):
        if _is_password(found["user"], found["value"]):
            return "it holds an address with a password"
    lower, plain_counts = data.lower(), _SETTINGS.search(path) is not None
    for hint in _HINTS:
        for at in places_of(hint, lower):
            found = _GIVEN.match(data, at)
            if found is None:
                continue
            name = _name_of(data, at) + found["rest"].decode("latin-1")
            if _is_secret(name, found, plain_counts=plain_counts):
                return f"it sets {name}"
    return ""


def places_of(literal: bytes, data: bytes) -> Iterator[int]:
    """Yield each place where the literal stands in the data."""
    at = data.find(literal)
    while at >= 0:
        yield at
        at = data.find(literal, at + 1)


def _name_of(data: bytes, at: int) -> str:
    """Return what of a name stands before a place."""
    begun = _NAME.search(data[max(0, at - _LONGEST_NAME) : at])
    return begun[0].decode("latin-1") if begun else ""


def _is_password(user: bytes, value: bytes) -> bool:
    return user != value and not _is_placeholder(value.decode("latin-1"))


def _is_secret(name: str, found: re.Match[bytes], *, plain_counts: bool) -> bool:
    quoted = found["double"] or found["single"]
    value = (quoted or found["plain"]).decode("latin-1")
    # A bare "key" is anything: of a dictionary, of a column, of a sort.
    if words_of(name) in (["key"], ["token"]) or not names_a_secret(name) or _is_placeholder(value):
        return False
    if value.startswith(("/", "./", "../", "~/")):
        return False
    certain = any(CERTAIN_WORDS.fullmatch(word) for word in words_of(name))
    if not plain_counts:
        return bool(quoted) and len(value) >= _SHORTEST_IN_CODE and looks_random(value)
    if certain:
        return len(value) >= _SHORTEST_PASSWORD
    return len(value) >= _SHORTEST_TOKEN and looks_random(value)
