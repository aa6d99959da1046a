"""Finds files that look like secrets, by their name or by a token in their text.

Stricter than ``redact``: an argument redacted in error has to be typed again, but a source file
left out in error makes the run unrepeatable. So only unmistakable formats count, and values that
look like secrets and have a secret's name.
"""

from __future__ import annotations

import codecs
import fnmatch
import re
import time
from typing import NamedTuple

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.secrets.assigned_values import places_of, secret_setting
from wandb_repro.capture.secrets.issued_tokens import issued_token
from wandb_repro.capture.secrets.randomness import looks_random
from wandb_repro.capture.secrets.token_patterns import LINES, TOKENS
from wandb_repro.manifest.base import Unavailable

SEARCH_S = 10.0
"""Limit of the search of one file: 50 MB of text take 2 s."""

_NAMES = (
    *(".env", ".env.*", "*.pem", "*.key", "*.p12", "*.pfx", "*.jks", "*.keystore", "*.kdbx"),
    *("*.jceks", "*.bks", "*.p8", "*.tfstate", "*.tfstate.*", ".terraformrc", "terraform.rc"),
    *("*.ppk", "*.ovpn", "id_rsa*", "id_ed25519*", "id_ecdsa*", "id_dsa*"),
    *(".netrc", "_netrc", ".pypirc", ".git-credentials", ".pgpass", ".my.cnf", ".mylogin.cnf"),
    *(".htpasswd", "htpasswd", ".s3cfg", ".boto", ".dockercfg", "kaggle.json"),
    *("kubeconfig*", "*.kubeconfig", "kube.config", "*-kubeconfig.y*ml"),
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

    def is_in(self, data: bytes, until: float) -> bool:
        """Return whether the data holds a secret of this kind."""
        # The pattern is tried only at its literal: trying each byte takes 30 times as long.
        try_at = self.pattern.search if self.before else self.pattern.match
        longest = _LONGEST_BYTES if not self.before else _LONGEST_BYTES // 8
        return any(
            (found := try_at(data, max(0, at - self.before), at + longest))
            and looks_random(found[0].decode("latin-1"))
            for literal in self.literals
            for at in places_of(literal, data, until)
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


def secret_in_text(data: bytes, path: bytes = b"", *, seconds: float = SEARCH_S) -> str:
    """Return which kind of secret a file holds, or why that cannot be known; empty if none.

    Of binary files (with a NUL, and not UTF-16) only key stores are recognised.

    Args:
        data: the file.
        path: of the file; in settings files, unlike in code, values count without quotes.
        seconds: limit of the search; after it the file counts as one with a secret.
    """
    found = guarded(lambda: _search(data, path, time.monotonic() + seconds), "the search")
    return f"it could not be searched: {found}" if isinstance(found, Unavailable) else found


def _search(data: bytes, path: bytes, until: float) -> str:
    if b"\0" in data:
        if data.startswith(_KEYSTORES) or _BINARY_KEY.match(data):
            return "it holds a private key"
        if not data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            return ""
        data = data.decode("utf-16", "replace").encode("utf-8", "replace")
    if issuer := issued_token(data):
        return f"it holds a token for {issuer}"
    for kind in _KINDS:
        if kind.is_in(data, until):
            return f"it holds {kind.name}"
    return secret_setting(data, path, until)


_KEYSTORES = (b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce", b"\x03\xd9\xa2\x9a")
"""Of Java (JKS, JCEKS) and KeePass."""
_BINARY_KEY = re.compile(
    rb"\x30(?:\x82..|\x81.|[\x20-\x7f])(?:"
    rb"\x02\x01\x03\x30.{1,4}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x07"  # PKCS #12
    rb"|\x02\x01[\x00\x01]\x30.\x06"  # PKCS #8
    rb"|\x30.{1,3}\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x05"  # PKCS #8, encrypted
    rb"|\x02\x01\x00\x02\x82..\x00"  # PKCS #1
    rb"|\x02\x01\x01\x04[\x1c-\x42])",  # SEC 1
    re.DOTALL,
)
"""The first bytes of a private key in DER."""
