"""Secrets to plant, none of them anybody's.

Each is put together from pieces when a test runs: no file of this repository holds a text that a
scanner takes for a secret.
"""

from __future__ import annotations

import base64
import hashlib
import json
import string
from typing import NamedTuple

__all__ = ["KINDS", "Planted", "hexadecimal", "signs"]

_ALNUM = string.ascii_letters + string.digits


class Planted(NamedTuple):
    """One secret, in a file as people have it."""

    file: str
    """Path of the file in a project."""
    content: str
    value: str
    """What must not leave the machine."""


def signs(seed: str, length: int, alphabet: str = _ALNUM) -> str:
    """Return so many letters and digits, the same ones for a seed."""
    noise = hashlib.shake_128(seed.encode()).digest(length)
    return "".join(alphabet[byte % len(alphabet)] for byte in noise)


def hexadecimal(seed: str, length: int) -> str:
    """Return so many hexadecimal digits."""
    return signs(seed, length, "0123456789abcdef")


def _base64(seed: str, length: int) -> str:
    return base64.b64encode(hashlib.shake_128(seed.encode()).digest(length)).decode()


def _key(kind: str, end: str = "KEY") -> tuple[str, str]:
    """Return a private key as it stands in a file, and a line of it."""
    line = _base64(kind, 48)
    head = f"-----BEGIN {kind + ' ' if kind else ''}PRIVATE {end}-----"
    return f"{head}\n{line}\n{_base64(kind + '2', 30)}\n-----END PRIVATE {end}-----\n", line


def _token(file: str, name: str, value: str) -> Planted:
    return Planted(file, f'{name} = "{value}"\n', value)


def _jwt() -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, {"sub": "1234567890", "name": "ada"})
    told = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode() for part in parts]
    return ".".join([*(part.rstrip("=") for part in told), signs("jwt", 43)])


def _service_account() -> Planted:
    text, line = _key("")
    account = {"type": "service_account", "project_id": "p", "private_key": text}
    return Planted("conf/gcp.json", json.dumps(account, indent=1), line)


def _of_key(file: str, kind: str, end: str = "KEY", head: str = "") -> Planted:
    text, line = _key(kind, end)
    return Planted(file, head + text, line)


def _pgp() -> Planted:
    text, line = _key("PGP", "KEY BLOCK")
    return Planted("backup.txt", text.replace("\n", "\nVersion: GnuPG v2\n\n", 1), line)


def _settings(file: str, before: str, seed: str, after: str = "\n", length: int = 20) -> Planted:
    value = signs(seed, length)
    return Planted(file, before + value + after, value)


def _kinds() -> dict[str, Planted]:
    docker = _base64("docker", 24)
    w_and_b = hexadecimal("wandb", 40)
    return {
        "an AWS access key": _token("a.py", "key", "AK" + "IA" + signs("aws", 16).upper()),
        "an AWS secret key": _settings("aws.ini", "aws_secret_access_key = ", "as", length=40),
        "a GCP service account": _service_account(),
        "a Google API key": _token("maps.py", "maps", "AI" + "za" + signs("g", 35)),
        "a Google OAuth secret": _token("oauth.py", "x", "GOC" + "SPX-" + signs("go", 28)),
        "a GitHub token, classic": _token("gh.py", "x", "gh" + "p_" + signs("gh", 36)),
        "a GitHub token, fine-grained": _token(
            "gh2.py", "x", "github" + "_pat_" + signs("p", 22) + "_" + signs("q", 59)
        ),
        "a GitLab token": _token("gl.py", "x", "gl" + "pat-" + signs("gl", 20)),
        "a Slack token": _token(
            "slack.py",
            "x",
            "xo" + "xb-123456789012-1234567890123-" + signs("s", 24),
        ),
        "a Slack webhook": _token(
            "hook.py",
            "x",
            "https://hooks." + "slack.com/services/T" + "01234567/B01234567/" + signs("w", 24),
        ),
        "a Stripe key": _token("pay.py", "x", "sk" + "_live_" + signs("st", 24)),
        "a W&B key, old": Planted("w.py", f'import wandb\nwandb.login(key="{w_and_b}")\n', w_and_b),
        "a W&B key, new": _token("w2.py", "x", "wandb" + "_v1_" + signs("w2", 60)),
        "a Hugging Face token": _token("hf.py", "x", "h" + "f_" + signs("hf", 34)),
        "an OpenAI key": _token(
            "oa.py", "x", "sk" + "-proj-" + signs("oa", 20) + "T3Blbk" + "FJ" + signs("ob", 20)
        ),
        "an Anthropic key": _token("an.py", "x", "sk" + "-ant-api03-" + signs("an", 93)),
        "a PyPI token": _token("up.py", "x", "py" + "pi-AgEIcHlwaS5vcmc" + signs("pp", 90)),
        "an npm token": _token("npm.js", "x", "np" + "m_" + signs("npm", 36)),
        "an npm login": Planted(
            ".npmrc",
            "//registry.example/:_auth" + "Token=np" + "m_" + signs("nl", 36) + "\n",
            signs("nl", 36),
        ),
        "a JSON web token": _token("jwt.py", "x", _jwt()),
        "an RSA key": _of_key("deploy.txt", "RSA"),
        "an EC key": _of_key("notes/ec.txt", "EC"),
        "an OpenSSH key": _of_key("notes/ssh.txt", "OPENSSH"),
        "a PGP key": _pgp(),
        "id_ed25519": Planted("id_ed25519", "whatever it holds", "whatever it holds"),
        "a .p12 file": Planted("cert.p12", signs("p12", 40), signs("p12", 40)),
        "a .pem file": Planted("server.pem", signs("pem", 40), signs("pem", 40)),
        ".netrc": Planted(".netrc", signs("netrc", 30), signs("netrc", 30)),
        "a login as in .netrc": _settings(
            "login.txt", "machine api.example login ada password ", "nr"
        ),
        ".pgpass": Planted(".pgpass", f"db:5432:d:ada:{signs('pg', 16)}\n", signs("pg", 16)),
        "htpasswd": Planted(
            "users.txt", "ada:$ap" + f"r1${signs('s1', 8)}${signs('ht', 22)}\n", signs("ht", 22)
        ),
        ".git-credentials": Planted(
            ".git-credentials", f"https://ada:{signs('gc', 30)}@git.example\n", signs("gc", 30)
        ),
        "Docker's config.json": Planted(
            "ci/docker.json", json.dumps({"auths": {"r.example": {"auth": docker}}}), docker
        ),
        "a kube config": _settings(
            "k8s.yaml", "users:\n- user:\n    client-key-data: ", "kube", length=80
        ),
        "a kube token": _settings(
            "k8s2.yaml", "users:\n- user:\n    auth-token: ", "kt", length=40
        ),
        "an Azure connection string": Planted(
            "az.txt",
            "DefaultEndpointsProtocol=https;Account"
            + f"Name=a;AccountKey={_base64('az', 64)};EndpointSuffix=x\n",
            _base64("az", 64),
        ),
        "an address with a password": Planted(
            "fetch.py", f'get("https://ada:{signs("ba", 12)}@data.example/x")\n', signs("ba", 12)
        ),
        "a database's address": Planted(
            "db.py", f'DSN = "postgresql://ada:{signs("db", 12)}@db:5432/x"\n', signs("db", 12)
        ),
        "a bearer in a header": _settings(
            "headers.toml", '[headers]\nAuthorization = "Bearer ', "be", '"\n', 30
        ),
        "a Twilio key": _token("tw.py", "x", "S" + "K" + hexadecimal("tw", 32)),
        "a SendGrid key": _token(
            "sg.py", "x", "S" + "G." + signs("sg", 22) + "." + signs("sh", 43)
        ),
        "a Telegram token": _token("tg.py", "x", "123456789" + ":AA" + signs("tg", 33)),
        "a Mailgun key": _token("mg.py", "x", "ke" + "y-" + hexadecimal("mg", 32)),
        "a Mailchimp key": _token("mc.py", "x", hexadecimal("mc", 32) + "-u" + "s12"),
        "a Square secret": _token("sq.py", "x", "sq0" + "csp-" + signs("sq", 43)),
        "a Databricks token": _token("dbx.py", "x", "da" + "pi" + hexadecimal("dx", 32)),
        "a DigitalOcean token": _token("do.py", "x", "dop" + "_v1_" + hexadecimal("do", 64)),
        "an age key": _token("age.py", "x", "AGE-SECRET" + "-KEY-1" + signs("ag", 58).upper()),
        "a password in an ini file": _settings("db.ini", "[db]\npassword=", "pi", length=12),
        "a password in YAML": _settings("db.yaml", "db:\n  password: ", "py", length=12),
        "a password in JSON": _settings("db.json", '{"db": {"password": "', "pj", '"}}', 12),
        "a secret in code": _settings("s.py", "client_secret = '", "co", "'\n", 32),
        ".env": Planted(".env", f"X={signs('env', 20)}\n", signs("env", 20)),
        "a key in a notebook": _settings(
            "explore.ipynb",
            '{"cells": [{"source": ["client.login(api_key=\\"',
            "nb",
            '\\")"]}]}',
            32,
        ),
        "a key in a notebook's metadata": _settings(
            "meta.ipynb", '{"metadata": {"colab": {"api_token": "', "nm", '"}}}', 32
        ),
    }


KINDS: dict[str, Planted] = _kinds()
"""By what they are."""
