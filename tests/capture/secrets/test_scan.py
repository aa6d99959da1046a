"""Which files look as if they held a secret."""

from __future__ import annotations

import hashlib

import pytest

from tests.support.planted import signs
from wandb_repro.capture.secrets.scan import secret_in_name, secret_in_text

HEXADECIMAL = hashlib.sha256(b"a key").hexdigest()
SIGNS = "aB3dE6gH9jK2mN5pQ8sT1vW4yZ7bC0eF3hJ6lM9o"
TOKENS = {
    "AKIA" + "Z7Q2XW9EUT5LKMN3": "a token for Amazon Web Services",
    "ghp_" + SIGNS[:36]: "a token for GitHub",
    "github_pat_" + SIGNS[:30]: "a token for GitHub, fine-grained",
    "xoxb-" + "123456789012-" + SIGNS[:20]: "a token for Slack",
    "sk-" + "proj-" + SIGNS: "a token for OpenAI",
    "sk-" + HEXADECIMAL[:32]: "an API key",
    "hf_" + SIGNS[:34]: "a token for Hugging Face",
    "AIza" + SIGNS[:35]: "a token for Google",
    "glpat-" + SIGNS[:20]: "a token for GitLab",
    "wandb_v1_" + SIGNS: "a token for Weights & Biases",
    f"WANDB_API_KEY={HEXADECIMAL[:40]}": "a W&B API key",
    f'os.environ["WANDB_API_KEY"] = "{HEXADECIMAL[:40]}"': "a W&B API key",
    "-----BEGIN RSA PRIVATE " + f"KEY-----\nMIIEow{SIGNS}\n{SIGNS}": "a private key",
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


def test_a_large_file_is_searched_to_its_end() -> None:
    assert secret_in_text(b"x = 1\n" * 200_000 + next(iter(TOKENS)).encode())


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_a_file_in_another_encoding_is_searched(encoding: str) -> None:
    assert secret_in_text(next(iter(TOKENS)).encode(encoding))


def test_a_file_that_cannot_be_searched_in_time_is_no_harmless_one() -> None:
    why = secret_in_text(b"key = 1\n", seconds=-1)
    assert why == "it could not be searched: the search: TimeoutError: it took too long"


@pytest.mark.parametrize(
    "name",
    [
        *("deploy/kubeconfig-prod", "prod.kubeconfig", "infra/terraform.tfstate"),
        *("terraform.tfstate.backup", "store.jceks", "AuthKey_1.p8", ".terraformrc"),
    ],
)
def test_a_file_of_this_name_looks_like_a_secret(name: str) -> None:
    assert secret_in_name(name.encode())


SETTINGS = {
    ".npmrc, login": (".npmrc", "//registry.example/:_auth=@\n"),
    ".npmrc, token": (".npmrc", "//registry.example/:_authToken=@\n"),
    ".npmrc, password": (".npmrc", "//registry.example/:_password=@\n"),
    ".npmrc, at the start": (".npmrc", "_auth=@\n"),
    "kubeconfig, key": ("conf.yaml", "users:\n- user:\n    client-key-data: @@@@@\n"),
    "kubeconfig, token": ("conf.txt", "users:\n- user:\n    token: @@@\n"),
    ".gitmodules": (
        ".gitmodules",
        '[submodule "x"]\n  url = https://@:x-oauth-basic%git.example/x\n',
    ),
    ".gitmodules, user": (
        ".gitmodules",
        '[submodule "x"]\n  url = https://oauth2:@%git.example/x\n',
    ),
    "requirements, token": ("requirements.txt", "git+https://@%git.example/x.git\n"),
    "requirements, index": ("requirements.txt", "--index-url https://ada:@%pypi.example/simple\n"),
    "curl": ("go", "curl -u ada:@ https://x.example\n"),
    "MySQL": ("go", "mysql -u ada -p@ x\n"),
}


@pytest.mark.parametrize(("file", "text"), SETTINGS.values(), ids=SETTINGS)
def test_a_login_in_a_file_of_settings_is_found(file: str, text: str) -> None:
    content = text.replace("@", signs("settings", 20))
    assert secret_in_text(content.replace("%", "@").encode(), file.encode())


def test_a_secret_name_is_seen_whatever_its_case() -> None:
    assert secret_in_name(b"conf/Server.PEM") == "it is named like *.pem"


def test_a_folder_of_secrets_is_seen_at_any_depth() -> None:
    assert secret_in_name(b"docker/home/.aws/config") == "it is in .aws"


def test_a_name_that_is_no_text_is_judged_too() -> None:
    assert secret_in_name(b"\xff\xfe.key") == "it is named like *.key"
