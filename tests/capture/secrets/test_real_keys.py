"""Private keys as OpenSSL, OpenSSH, GnuPG and Java write them, made when the test runs."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

from wandb_repro.capture.secrets.redact import redact_text
from wandb_repro.capture.secrets.redact_code import redact_source
from wandb_repro.capture.secrets.scan import secret_in_text

_OPENSSL = {
    "RSA, PKCS 1": "openssl genrsa -traditional -out key 2048",
    "RSA, PKCS 8": "openssl genpkey -algorithm RSA -out key",
    "RSA, encrypted": "openssl genpkey -algorithm RSA -aes-128-cbc -pass pass:abcdefgh -out key",
    "EC": "openssl ecparam -name prime256v1 -genkey -noout -out key",
    "EC, PKCS 8": "openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-384 -out key",
    "Ed25519": "openssl genpkey -algorithm ED25519 -out key",
    "X25519": "openssl genpkey -algorithm X25519 -out key",
}
_SSH = {
    "OpenSSH, Ed25519": "ssh-keygen -q -t ed25519 -N '' -f key",
    "OpenSSH, RSA": "ssh-keygen -q -t rsa -b 2048 -N '' -f key",
    "OpenSSH, ECDSA": "ssh-keygen -q -t ecdsa -N '' -f key",
    "OpenSSH, PEM": "ssh-keygen -q -t rsa -b 2048 -m PEM -N '' -f key",
    "OpenSSH, encrypted": "ssh-keygen -q -t ed25519 -N abcdefgh -f key",
}
_GPG = {
    "GnuPG": "gpg --batch --quiet --pinentry-mode loopback --passphrase '' "
    "--quick-generate-key ada@example.org rsa2048 && gpg --batch --quiet --pinentry-mode loopback "
    "--passphrase '' --armor --export-secret-keys >key; gpgconf --kill all",
}
_TEXTS = {**_OPENSSL, **_SSH, **_GPG}
_BINARIES = {
    "RSA, DER": "openssl genrsa -traditional 2048 | openssl rsa -traditional -outform DER -out key",
    "RSA, DER, PKCS 8": "openssl genpkey -algorithm RSA -outform DER -out key",
    "EC, DER": "openssl ecparam -name prime256v1 -genkey -noout -outform DER -out key",
    "Ed25519, DER": "openssl genpkey -algorithm ED25519 -outform DER -out key",
    "encrypted, DER": "openssl genpkey -algorithm RSA | openssl pkcs8 -topk8 -outform DER "
    "-passout pass:abcdefgh -out key",
    "PKCS 12": "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout k -out c && "
    "openssl pkcs12 -export -inkey k -in c -passout pass:abcdefgh -out key",
    "Java, PKCS 12": "keytool -genkeypair -keystore key -storepass abcdefgh -alias a "
    "-dname CN=x -keyalg RSA -storetype PKCS12",
    "Java, JKS": "keytool -genkeypair -keystore key -storepass abcdefgh -keypass abcdefgh "
    "-alias a -dname CN=x -keyalg RSA -storetype JKS",
    "Java, JCEKS": "keytool -genkeypair -keystore key -storepass abcdefgh -keypass abcdefgh "
    "-alias a -dname CN=x -keyalg RSA -storetype JCEKS",
}


def _made(command: str, folder: Path) -> bytes:
    """Return the key that a command writes to ``key``."""
    tool = command.split()[0]
    if shutil.which(tool) is None:
        pytest.skip(f"{tool} is not installed")
    home = folder / "home"
    home.mkdir(mode=0o700)
    environment = {**os.environ, "GNUPGHOME": str(home)}
    done = subprocess.run(  # noqa: S602  (a command of this file)
        command, shell=True, cwd=folder, env=environment, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return (folder / "key").read_bytes()


def _lines(text: str) -> list[str]:
    """Return the lines of a key that are its secret."""
    return [line for line in text.splitlines() if len(line) > 40 and " " not in line]


@pytest.mark.parametrize("command", _TEXTS.values(), ids=_TEXTS)
def test_a_private_key_is_found_and_cut_wherever_it_stands(command: str, tmp_path: Path) -> None:
    key = _made(command, tmp_path).decode()
    indented = key.replace("\n", "\n    ")
    quoted = "\n".join(f'    "{line}\\n"' for line in key.splitlines())
    places = {
        "alone": key,
        "Windows": key.replace("\n", "\r\n"),
        "YAML": f"key: |\n    {indented}",
        "JSON": json.dumps({"type": "service_account", "private_key": key}),
        "Python": f'KEY = """{key}"""\n',
        "Python, line by line": f"KEY = (\n{quoted}\n)\n",
        "cell": json.dumps({"source": [f"{line}\n" for line in key.splitlines()]}, indent=1),
        "added": "".join(f"+{line}\n" for line in key.splitlines()),
        "removed": "".join(f"-{line}\n" for line in key.splitlines()),
        "comment": "".join(f"# {line}\n" for line in key.splitlines()),
        "shell": f"export KEY='{key}'\n",
    }
    for place, text in places.items():
        assert secret_in_text(text.encode(), b"notes.txt"), place
        for redacted in (redact_text(text), redact_source(text)):
            assert [line for line in _lines(key) if line in redacted] == [], place


@pytest.mark.parametrize("command", _BINARIES.values(), ids=_BINARIES)
def test_a_binary_key_or_key_store_is_found(command: str, tmp_path: Path) -> None:
    assert secret_in_text(_made(command, tmp_path), b"data.bin") == "it holds a private key"


def test_a_diff_that_begins_inside_a_key_shows_none_of_it(tmp_path: Path) -> None:
    key = _made(_OPENSSL["RSA, PKCS 8"], tmp_path).decode().splitlines()
    hunk = "@@ -4,5 +4,5 @@\n" + "".join(f" {line}\n" for line in key[4:9])
    assert [line for line in key[4:9] if line in redact_text(hunk)] == []


@pytest.mark.parametrize("kind", ["public key", "certificate"])
def test_what_is_public_is_no_secret(kind: str, tmp_path: Path) -> None:
    command = {
        "public key": "openssl genpkey -algorithm RSA | openssl rsa -pubout -out key",
        "certificate": "openssl req -x509 -newkey rsa:2048 -nodes -subj /CN=x -keyout k -out key",
    }[kind]
    assert secret_in_text(_made(command, tmp_path), b"notes.txt") == ""
