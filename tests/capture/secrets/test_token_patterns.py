from __future__ import annotations

import re

import pytest

from tests.support.planted import hexadecimal, signs
from wandb_repro.capture.secrets.scan import secret_in_text
from wandb_repro.capture.secrets.token_patterns import LINES, TOKENS, Token

_KINDS = (*TOKENS, *LINES)
_HEX, _NOISE = hexadecimal("patterns", 40), signs("patterns", 120)
_LINE = signs("line", 64)
EXAMPLES = {
    "hooks.slack.com/": f"https://hooks.slack.com/services/T01234567/B01234567/{_NOISE[:24]}",
    "discord.com/api/": f"https://discord.com/api/webhooks/123456789/{_NOISE[:68]}",
    "discordapp.com/api/": f"https://discordapp.com/api/webhooks/123456789/{_NOISE[:68]}",
    ".webhook.office.com/": f"https://a.webhook.office.com/webhookb2/{_NOISE[:36]}@{_HEX}",
    ":AA": f"123456789:AA{_NOISE[:33]}",
    ".G": f"M{_NOISE[:23]}.G{_NOISE[:5]}.{_NOISE[:38]}",
    "-us": f"{_HEX[:32]}-us12",
    "AccountKey=": f"AccountKey={_NOISE[:86]}==",
    "SharedAccessKey=": f"SharedAccessKey={_NOISE[:43]}=",
    "Q~": f"a1b8Q~{_NOISE[:34]}",
    "JQQJ99": f"{_NOISE[:52]}JQQJ99{_NOISE[:26]}",
    "bce-v3/ALTAK-": f"bce-v3/ALTAK-{_NOISE[:21]}/{_HEX}",
    "access_token$": f"access_token$production${_HEX[:16]}${_HEX[:32]}",
    "sha256~": f"sha256~{_NOISE[:43]}",
    ".atlasv1.": f"{_NOISE[:14]}.atlasv1.{_NOISE[:67]}",
    "_mmk": f"{_NOISE[:6]}_{_NOISE[:29]}_mmk",
    "eyJ": f"eyJ{_NOISE[:20]}.eyJ{_NOISE[:30]}.{_NOISE[:40]}",
    "sk-": f"sk-{_NOISE[:40]}",
    "WANDB_API_KEY": f"WANDB_API_KEY={_HEX}",
    "wandb.login": f'wandb.login("{_HEX}")',
    "api.wandb.ai": f"machine api.wandb.ai login user password {_HEX}",
    "-----BEGIN ": f"-----BEGIN RSA PRIVATE KEY-----\n{_LINE}\n{_LINE}\n",
    "---- BEGIN ": f"---- BEGIN SSH2 ENCRYPTED PRIVATE KEY ----\nComment: x\n{_LINE}\n",
    "PuTTY-User-Key-File": f"PuTTY-User-Key-File-3: ssh-rsa\n{_LINE}\nPrivate-Lines: 14\n",
    "client-key-data": f"client-key-data: {_NOISE}",
    '"auth"': f'{{"auth": "{_NOISE[:40]}"}}',
    "_auth": f"//registry.example/:_authToken={_NOISE[:36]}",
    "_password": f"//registry.example/:_password={_NOISE[:36]}",
    "machine": f"machine a.example login ada password {_NOISE[:16]}",
    ":$apr1$": f"ada:$apr1${_NOISE[:8]}${_NOISE[:22]}",
    ":$2": f"ada:$2y$05${_NOISE[:53]}",
    ":{SHA}": f"ada:{{SHA}}{_NOISE[:27]}=",
    "authorization": f"authorization: Bearer {_NOISE[:30]}",
    "Authorization": f"Authorization: Basic {_NOISE[:30]}",
    "AUTHORIZATION": f"AUTHORIZATION: Bearer {_NOISE[:30]}",
}
"""By the literal by which each is found."""


def test_each_literal_has_an_example() -> None:
    assert set(EXAMPLES) == {literal for token in _KINDS for literal in token.literals}


@pytest.mark.parametrize("literal", EXAMPLES)
def test_each_pattern_is_reached_at_the_start_of_a_file_and_later(literal: str) -> None:
    kinds = [token for token in _KINDS if literal in token.literals]
    for before in ("", "x = 1\n", "x = 1\r\n\r\n"):
        text = before + EXAMPLES[literal]
        assert secret_in_text(text.encode(), b"a.py")
        assert any(_is_reached(token, literal, text) for token in kinds)


def _is_reached(token: Token, literal: str, text: str) -> bool:
    """Return whether a pattern matches as it is tried: from so many characters before on."""
    pattern, at = re.compile(token.pattern), text.find(literal)
    tried = pattern.search if token.before else pattern.match
    return tried(text, max(0, at - token.before)) is not None


@pytest.mark.parametrize("token", _KINDS, ids=lambda token: token.literals[0])
def test_each_kind_can_be_searched_in_bytes_and_named_in_a_sentence(token: Token) -> None:
    assert re.compile(token.pattern.encode())
    assert token.literals
    assert all(literal.isascii() and len(literal) > 1 for literal in token.literals)
    assert re.match(r"an? \w", token.name)
