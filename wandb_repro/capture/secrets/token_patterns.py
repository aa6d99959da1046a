"""Formats of tokens, and lines of files that hold keys and logins.

Source: the issuers' documentation; the plugins of detect-secrets 1.5 find no token of these kinds
that is not found here (``tests/capture/secrets/test_redact_kinds.py``).
"""

from __future__ import annotations

from typing import NamedTuple


class Token(NamedTuple):
    """One kind of secret."""

    name: str
    literals: tuple[str, ...]
    """Each match contains one of them; searching for them is much faster."""
    pattern: str
    before: int = 0
    """How many characters before the literal a match may begin."""


TOKENS: tuple[Token, ...] = (
    Token(
        "a webhook's address",
        ("hooks.slack.com/", "discord.com/api/", "discordapp.com/api/", ".webhook.office.com/"),
        r"(?:hooks\.slack\.com/(?:services/T\w+/B\w+|workflows/T\w+/A\w+/\d+|triggers/\w+/\d+)"
        r"|discord(?:app)?\.com/api/webhooks/\d+|\.webhook\.office\.com/webhookb2)/[\w@/-]{20,}",
    ),
    Token("a Telegram token", (":AA",), r"\b\d{8,10}:AA[\w-]{33}(?![\w-])", 10),
    Token("a Discord token", (".G",), r"\b[MNO][\w-]{23,27}\.G[\w-]{5}\.[\w-]{27,}", 30),
    Token("a Mailchimp key", ("-us",), r"\b[0-9a-f]{32}-us\d{1,2}\b", 32),
    Token(
        "an Azure key",
        ("AccountKey=", "SharedAccessKey="),
        r"AccountKey=[A-Za-z0-9+/]{80,}={0,2}|SharedAccessKey=[A-Za-z0-9+/]{40,}=?",
    ),
    Token("an Azure secret", ("Q~",), r"(?<![\w~.-])[\w~.-]{3}\dQ~[\w~.-]{31,34}", 4),
    Token("an Azure key", ("JQQJ99",), r"\b[A-Za-z0-9]{52}JQQJ99[A-Za-z0-9]{26}", 52),
    Token("a Baidu key", ("bce-v3/ALTAK-",), r"\bbce-v3/ALTAK-[A-Za-z0-9]{21}/[0-9a-f]{40}\b"),
    Token(
        "a Braintree token",
        ("access_token$",),
        r"\baccess_token\$(?:production|sandbox)\$[0-9a-z]{16}\$[0-9a-f]{32}\b",
    ),
    Token("an OpenShift token", ("sha256~",), r"\bsha256~[\w-]{43}(?![\w-])"),
    Token("a Terraform token", (".atlasv1.",), r"\b[A-Za-z0-9]{14}\.atlasv1\.[\w-]{60,}", 14),
    Token("a MaxMind key", ("_mmk",), r"\b[A-Za-z0-9]{6}_[A-Za-z0-9]{29}_mmk\b", 36),
    Token("a JSON web token", ("eyJ",), r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
)
"""Searched in files, arguments and URLs."""

_BETWEEN = r"(?:\s|\\[rnt]|[\"'+,>|*#()\\-])*"
"""What stands between two lines of a key."""

LINES: tuple[Token, ...] = (
    Token(  # a long run of letters and digits: words have hyphens between them
        "an API key", ("sk-",), r"(?<![\w-])(?<!sha256=)sk-[\w-]{0,99}?[0-9A-Za-z]{20}[\w-]{0,199}"
    ),
    Token(
        "a W&B API key",
        ("WANDB_API_KEY", "wandb.login", "api.wandb.ai"),
        r"(?:WANDB_API_KEY|wandb\.login|api\.wandb\.ai)[\w\s(=\"':\\\]]{1,60}?(?:local-)?"
        r"(?<![0-9a-f])[0-9a-f]{40}\b",
    ),
    Token(
        "a private key",
        ("-----BEGIN ", "---- BEGIN "),
        r"-{4,5} ?BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)? ?-{4,5}"
        # In a string, a diff, a comment; the first lines of a key hold few digits, or none.
        + _BETWEEN
        + r"(?:(?:Version|Comment|Proc-Type|DEK-Info|Subject|Charset|Hash): [^\n]{0,200}"
        + _BETWEEN
        + r")*[0-9A-Za-z+/=]{24,}(?:"
        + _BETWEEN
        + r"[0-9A-Za-z+/=]{24,}){0,3}",
    ),
    Token(
        "a private key",
        ("PuTTY-User-Key-File",),
        r"PuTTY-User-Key-File-\d[^\x00]{0,3000}Private-Lines",
    ),
    Token("a private key", ("client-key-data",), r"client-key-data: *[A-Za-z0-9+/=]{40,}"),
    Token("a registry's login", ('"auth"',), r'"auth"\s*:\s*"[A-Za-z0-9+/]{16,}={0,2}"'),
    Token(
        "a registry's login",
        ("_auth", "_password"),
        r"(?:^|[:\s\"'+-])_(?:auth|authToken|password)\s{0,4}=\s{0,4}\"?[\w+/=.-]{12,}",
        1,
    ),
    Token(
        "a login",
        ("machine",),
        r"\bmachine\s{1,9}[^\s]{1,200}\s{1,9}login\s{1,9}[^\s]{1,200}\s{1,9}password\s{1,9}[^\s]{4,200}",
    ),
    Token(
        "a password's hash",
        (":$apr1$", ":$2", ":{SHA}"),
        r"(?m)^[\w.@-]{1,64}:(?:\$apr1\$|\$2[aby]\$|\{SHA\})[\w./$+=]{20,}",
        65,
    ),
    Token(
        "an authorization",
        ("authorization", "Authorization", "AUTHORIZATION"),
        r"(?i:authorization)[\"'\\]{0,4}\s{0,4}[:=]\s{0,4}[\"'\\]{0,4}(?i:bearer|basic|token)\s+"
        r"[\w.~+/=-]{16,}",
    ),
)
"""Searched only in files."""
