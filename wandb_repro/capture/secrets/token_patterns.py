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
        "an AWS access key",
        ("AKIA", "ASIA", "ABIA", "ACCA"),
        r"\b(?:AKIA|ASIA|ABIA|ACCA)[0-9A-Z]{16}\b",
    ),
    Token(
        "a GitHub token",
        ("ghp_", "gho_", "ghu_", "ghs_", "ghr_"),
        r"\bgh[pousr]_[0-9A-Za-z]{36,255}\b",
    ),
    Token("a GitHub token", ("github_pat_",), r"\bgithub_pat_[0-9A-Za-z_]{22,255}\b"),
    Token(
        "a GitLab token",
        ("glpat-", "gldt-", "glft-", "glsoat-", "glrt-", "glptt-", "glagent-", "glcbt-", "glimt-"),
        r"\bgl(?:pat|dt|ft|soat|rt|ptt|agent|cbt|imt)-[\w-]{20,255}",
    ),
    Token("a GitLab token", ("GR1348941", "gloas-"), r"\b(?:GR1348941|gloas-)[\w-]{20,64}"),
    Token("a Slack token", ("xox",), r"\bxox[abeoprs]-[0-9A-Za-z-]{20,255}\b"),
    Token(
        "a webhook's address",
        ("hooks.slack.com/", "discord.com/api/", "discordapp.com/api/"),
        r"(?:hooks\.slack\.com/services/T\w+/B\w+|discord(?:app)?\.com/api/webhooks/\d+)/[\w-]{20,}",
    ),
    Token(
        "a Stripe key",
        ("sk_live_", "rk_live_", "sk_test_", "rk_test_"),
        r"\b[rs]k_(?:live|test)_[0-9A-Za-z]{24,255}\b",
    ),
    Token("a Hugging Face token", ("hf_",), r"\bhf_[0-9A-Za-z]{30,255}\b"),
    Token("a Google API key", ("AIza",), r"\bAIza[\w-]{35}(?![\w-])"),
    Token("a Google OAuth secret", ("GOCSPX-", "ya29."), r"\b(?:GOCSPX-|ya29\.)[\w-]{24,}"),
    Token("a W&B API key", ("wandb_v",), r"\bwandb_v[0-9]_[0-9A-Za-z_]{20,255}"),
    Token("a PyPI token", ("pypi-AgE",), r"\bpypi-AgE[\w-]{50,}"),
    Token("an npm token", ("npm_",), r"\bnpm_[0-9A-Za-z]{36}\b"),
    Token("a Docker token", ("dckr_pat_",), r"\bdckr_pat_[\w-]{24,}"),
    Token("a Replicate token", ("r8_",), r"\br8_[0-9A-Za-z]{37}\b"),
    Token("a Databricks token", ("dapi",), r"\bdapi[0-9a-f]{32}\b"),
    Token(
        "a DigitalOcean token", ("dop_v1_", "doo_v1_", "dor_v1_"), r"\bdo[opr]_v1_[0-9a-f]{64}\b"
    ),
    Token("a Shopify token", ("shp",), r"\bshp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}\b"),
    Token("a Square token", ("sq0",), r"\bsq0(?:csp|atp)-[\w-]{22,43}"),
    Token("a SendGrid key", ("SG.",), r"\bSG\.[\w-]{16,32}\.[\w-]{16,64}"),
    Token("a Twilio key", ("SK",), r"\bSK[0-9a-f]{32}\b"),
    Token("a Telegram token", (":AA",), r"\b\d{8,10}:AA[\w-]{33}(?![\w-])", 10),
    Token("a Mailgun key", ("key-",), r"\bkey-[0-9a-f]{32}\b"),
    Token("a Mailchimp key", ("-us",), r"\b[0-9a-f]{32}-us\d{1,2}\b", 32),
    Token(
        "an Azure key",
        ("AccountKey=", "SharedAccessKey="),
        r"AccountKey=[A-Za-z0-9+/]{80,}={0,2}|SharedAccessKey=[A-Za-z0-9+/]{40,}=?",
    ),
    Token("an age key", ("AGE-SECRET-KEY-1",), r"\bAGE-SECRET-KEY-1[0-9A-Z]{50,}"),
    Token("a JSON web token", ("eyJ",), r"\beyJ[\w-]{8,}\.eyJ[\w-]{8,}\.[\w-]{8,}"),
)
"""Searched in files, arguments and URLs."""

LINES: tuple[Token, ...] = (
    Token(  # a long run of letters and digits: words have hyphens between them
        "an API key", ("sk-",), r"(?<![\w-])sk-[\w-]{0,99}?[0-9A-Za-z]{20}[\w-]{0,199}"
    ),
    Token(
        "a W&B API key",
        ("WANDB_API_KEY", "wandb.login", "api.wandb.ai"),
        r"(?:WANDB_API_KEY|wandb\.login|api\.wandb\.ai)[\w\s(=\"':\\\]]{1,60}?(?:local-)?"
        r"(?<![0-9a-f])[0-9a-f]{40}\b",
    ),
    Token(
        "a private key",
        ("-----BEGIN ",),
        r"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[rn])+"
        r"(?:(?:Version|Comment|Proc-Type|DEK-Info): [^\n]{0,200}\s+)*[0-9A-Za-z+/=\-:, ]{16}",
    ),
    Token(
        "a private key", ("PuTTY-User-Key-File",), r"PuTTY-User-Key-File-\d[^\x00]{0,900}Private"
    ),
    Token("a private key", ("client-key-data",), r"client-key-data: *[A-Za-z0-9+/=]{40,}"),
    Token("a registry's login", ('"auth"',), r'"auth"\s*:\s*"[A-Za-z0-9+/]{16,}={0,2}"'),
    Token(
        "a registry's login", ("_authToken", "_password"), r":_(?:authToken|password)=[\w-]{16,}"
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
