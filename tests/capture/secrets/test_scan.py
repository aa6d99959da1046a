"""Which files look as if they held a secret."""

from __future__ import annotations

import hashlib

import pytest

from wandb_repro.capture.secrets.scan import SCANNED_BYTES, secret_in_name, secret_in_text

HEXADECIMAL = hashlib.sha256(b"a key").hexdigest()
SIGNS = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6lM9o"
TOKENS = {
    "AKIA" + "Z7Q2XW9EUT5LKMN3": "an AWS access key",
    "ghp_" + SIGNS[:36]: "a GitHub token",
    "github_pat_" + SIGNS[:30]: "a GitHub token",
    "xoxb-" + "123456789012-" + SIGNS[:20]: "a Slack token",
    "sk-" + "proj-" + SIGNS: "an API key",
    "sk-" + HEXADECIMAL[:32]: "an API key",
    "hf_" + SIGNS[:34]: "a Hugging Face token",
    "AIza" + SIGNS[:35]: "a Google API key",
    "glpat-" + SIGNS[:20]: "a GitLab token",
    "wandb_v1_" + SIGNS: "a W&B API key",
    f"WANDB_API_KEY={HEXADECIMAL[:40]}": "a W&B API key",
    f'os.environ["WANDB_API_KEY"] = "{HEXADECIMAL[:40]}"': "a W&B API key",
    "-----BEGIN RSA PRIVATE " + f"KEY-----\nMIIEow{SIGNS}\n": "a private key",
}


@pytest.mark.parametrize(("text", "kind"), TOKENS.items(), ids=TOKENS.values())
def test_a_token_is_found_anywhere_in_a_text(text: str, kind: str) -> None:
    assert secret_in_text(f"x = 1\nkey: {text}\n".encode()) == f"it holds {kind}"


@pytest.mark.parametrize(
    "text",
    [
        "sk-learn-compatible-estimators-2-and-more",
        "task-0123456789abcdefghijkl",
        "sk-xxxxxxxxxxxxxxxxxxxxxxxx1",
        "ghp_" + "x" * 36,
        "AKIAEXAMPLE",
        HEXADECIMAL[:40],
        f"commit = '{HEXADECIMAL[:40]}'",
        "WANDB_API_KEY=$(cat key)",
        "-----BEGIN PRIVATE " + "KEY----- is how such a file begins",
        "-----BEGIN PUBLIC " + "KEY-----\nMIIEow" + SIGNS,
    ],
)
def test_what_only_resembles_a_token_is_let_through(text: str) -> None:
    assert secret_in_text(text.encode()) == ""


def test_a_binary_file_is_not_searched() -> None:
    assert secret_in_text(b"\0" + next(iter(TOKENS)).encode()) == ""


def test_a_large_file_is_not_searched() -> None:
    assert secret_in_text(next(iter(TOKENS)).encode() + b"\n" * SCANNED_BYTES) == ""


def test_a_secret_name_is_seen_whatever_its_case() -> None:
    assert secret_in_name(b"conf/Server.PEM") == "it is named like *.pem"


def test_a_folder_of_secrets_is_seen_at_any_depth() -> None:
    assert secret_in_name(b"docker/home/.aws/config") == "it is in .aws"


def test_a_name_that_is_no_text_is_judged_too() -> None:
    assert secret_in_name(b"\xff\xfe.key") == "it is named like *.key"
