"""Every kind of secret that people have in their projects, each in a file."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterable
from typing import Any

import pytest

from tests.support.planted import KINDS, Planted, signs
from wandb_repro.capture.secrets.scan import secret_in_name, secret_in_text

_GUESSES = ("base", "high_entropy_strings", "keyword", "ip_public")
"""Plugins that know no shape, and one that looks for addresses."""

_NOT_PLANTED = {
    *("artifactory", "cloudant", "ibm_cloud_iam", "ibm_cos_hmac", "softlayer", "discord"),
}
"""Plugins for services that give their tokens no shape of their own: these are found by the name
that the value is given to (``api_key = ...``), as any other."""


def _why(planted: Planted) -> str:
    path = planted.file.encode()
    return secret_in_name(path) or secret_in_text(planted.content.encode(), path)


@pytest.mark.parametrize("kind", KINDS)
def test_a_file_with_a_secret_is_known(kind: str) -> None:
    assert _why(KINDS[kind])


def test_there_are_more_than_thirty_kinds() -> None:
    assert len(KINDS) > 50
    assert len({planted.file for planted in KINDS.values()}) == len(KINDS)
    assert len({planted.value for planted in KINDS.values()}) == len(KINDS)


@pytest.mark.parametrize("kind", KINDS)
def test_why_never_tells_the_secret(kind: str) -> None:
    assert KINDS[kind].value not in _why(KINDS[kind])


def _plugins() -> list[str]:
    plugins: Any = importlib.import_module("detect_secrets.plugins")
    names = (module.name for module in pkgutil.iter_modules(plugins.__path__))
    return sorted({*names} - {*_GUESSES} - _NOT_PLANTED)


def _found_by(plugin: str, text: str) -> Iterable[object]:
    module: Any = importlib.import_module(f"detect_secrets.plugins.{plugin}")
    names = [name for name in dir(module) if "Detector" in name]
    own: list[Any] = [getattr(module, name) for name in names]
    for detector in own:
        if detector.__module__ == module.__name__:
            for line in text.splitlines():
                yield from detector().analyze_string(line)


@pytest.mark.parametrize("plugin", _plugins())
def test_a_kind_that_detect_secrets_knows_is_known_here(plugin: str) -> None:
    theirs = [kind for kind, one in KINDS.items() if list(_found_by(plugin, one.content))]

    assert theirs, f"nothing planted is found by detect-secrets' {plugin}"
    assert all(_why(KINDS[kind]) for kind in theirs)


HARMLESS = {
    "a tokenizer's settings": ("tok.json", '{"pad_token": "[PAD]", "unk_token": "<unk>"}'),
    "names of columns": ("data.yaml", "primary_key: user_id_12345678\nsort_key: created_at\n"),
    "a variable in place of a password": ("db.yaml", "password: ${DB_PASSWORD}\n"),
    "a password that is to be filled in": ("db.ini", "password = change-me-please\n"),
    "a password that is read": ("a.py", 'password = os.environ["DB_PASSWORD_1234567"]\n'),
    "a password's field": ("form.py", 'password = "Please type it again, 2 times"\n'),
    "an address as documents show it": ("a.md", "postgresql://user:password@localhost/db\n"),
    "an address with a port": ("a.md", "http://localhost:8080/@ada\n"),
    "a path to a key": ("a.yaml", "ssl_key: /etc/ssl/private/server-2024-key\n"),
    "a commit": ("a.yaml", f"revision: {signs('c', 40, '0123456789abcdef')}\n"),
    "a digest": ("a.json", f'{{"sha256": "{signs("d", 64, "0123456789abcdef")}"}}'),
    "attention's keys": ("net.py", 'key = self.key_projection("layer_12_key_projection")\n'),
    "a seed": ("a.py", "key = jax.random.PRNGKey(20240101)\n"),
    "the use of tokens": ("a.py", "tokens = tokenizer.encode(text, max_tokens=20480000)\n"),
    "an image in a notebook": ("n.ipynb", f'{{"image/png": "{signs("i", 4000)}"}}'),
    "a public key": ("id.pub", "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAI" + signs("pub", 40)),
    "a certificate": ("ca.crt", "-----BEGIN CERTIFICATE-----\n" + signs("crt", 64)),
}


@pytest.mark.parametrize(("file", "content"), HARMLESS.values(), ids=HARMLESS)
def test_what_is_no_secret_stays(file: str, content: str) -> None:
    assert _why(Planted(file, content, "")) == ""


@pytest.mark.parametrize("part", ["key", "token=", "://a:", ":AA", "-us1", "://", "machine ", "."])
def test_a_long_file_is_read_in_bounded_steps(part: str) -> None:
    assert secret_in_text((part * 20_000).encode()) == ""
