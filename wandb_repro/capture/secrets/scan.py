"""Finds files that look like secrets, by their name or by a token in their text.

Stricter than ``redact``: an argument redacted in error has to be typed again, but a source file
left out in error makes the run unrepeatable. So only unmistakable formats count, and values that
look like secrets and have a secret's name.
"""

from __future__ import annotations

import fnmatch
import re
from typing import NamedTuple

from wandb_repro.capture.secrets.assigned_values import looks_random, places_of, secret_setting
from wandb_repro.capture.secrets.token_patterns import LINES, TOKENS

SCANNED_BYTES = 1_000_000
"""Files of this size or more are taken for data, and not searched."""

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

    def is_in(self, data: bytes) -> bool:
        """Return whether the data holds a secret of this kind."""
        # The pattern is tried only at its literal: trying each byte takes 30 times as long.
        try_at = self.pattern.search if self.before else self.pattern.match
        longest = _LONGEST_BYTES if not self.before else _LONGEST_BYTES // 8
        return any(
            (found := try_at(data, max(0, at - self.before), at + longest))
            and looks_random(found[0].decode("latin-1"))
            for literal in self.literals
            for at in places_of(literal, data)
        )


_LONGEST_BYTES = 1000
"""Bytes from the literal on in which a pattern must match."""

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
    """Return why a path looks secret; empty if it does not.

    ``secret_in_name(b"keys/id_rsa")`` returns ``it is named like id_rsa*``.
    """
    folders, _, name = path.decode("utf-8", "replace").lower().rpartition("/")
    for folder in _FOLDERS:
        if folder in folders and folder in folders.split("/"):
            return f"it is in {folder}"
    if name == "config.json" and folders.split("/")[-1] == ".docker":
        return "it is in .docker"
    if _SECRET.match(name) is None or _HARMLESS.match(name) is not None:
        return ""
    return next(f"it is named like {like}" for like in _NAMES if fnmatch.fnmatchcase(name, like))


def secret_in_text(data: bytes, path: bytes = b"") -> str:
    """Return which kind of secret a file holds; empty if none.

    Binary files (with a NUL) and files of :data:`SCANNED_BYTES` or more are not searched.

    Args:
        data: the file.
        path: of the file; in settings files, unlike in code, values count without quotes.
    """
    if len(data) >= SCANNED_BYTES or b"\0" in data:
        return ""
    for kind in _KINDS:
        if kind.is_in(data):
            return f"it holds {kind.name}"
    return secret_setting(data, path)
