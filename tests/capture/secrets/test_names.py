from __future__ import annotations

import pytest

from wandb_repro.capture.secrets.names import PLAIN_VALUE, WANDB_KEY, names_a_secret, words_of


@pytest.mark.parametrize(
    "name",
    [
        *("--api-key", "apiKey", "WANDB_API_KEY", "model.api_key", "password", "db_passwd"),
        *("--auth", "bearer", "secret_value", "client-secret", "no-such-token", "hf_token"),
    ],
)
def test_a_credential_is_known_by_its_name(name: str) -> None:
    expected = name != "no-such-token"
    assert names_a_secret(name) is expected


@pytest.mark.parametrize(
    "name",
    [
        *("--sort-key", "pad_token", "--no-auth", "token_count", "secret-name", "key_metric"),
        *("monkey", "tokenizer", "--no-password", "lr", "", "primary.key-id", "cache-key"),
    ],
)
def test_a_name_about_keys_and_tokens_is_no_credential(name: str) -> None:
    assert not names_a_secret(name)


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("--api-key", ["api", "key"]),
        ("apiKey", ["api", "key"]),
        ("model.API_KEY2", ["api", "key2"]),
        ("", []),
    ],
)
def test_a_name_is_split_into_lower_case_words(name: str, words: list[str]) -> None:
    assert words_of(name) == words


@pytest.mark.parametrize("value", ["", "0.001", "1e-3", "true", "None", "auto", "-5", "1_000"])
def test_numbers_and_switches_are_plain(value: str) -> None:
    assert PLAIN_VALUE.fullmatch(value)


@pytest.mark.parametrize("value", ["hunter2", "123456789", "truely"])
def test_words_and_long_numbers_are_not_plain(value: str) -> None:
    assert not PLAIN_VALUE.fullmatch(value)


def test_forty_digits_are_wandbs_key_but_not_where_commits_stand() -> None:
    digits = "0123456789abcdef0123456789abcdef01234567"  # pragma: allowlist secret
    assert WANDB_KEY.search(f"login {digits}")
    assert WANDB_KEY.search(f"local-{digits}")
    assert not WANDB_KEY.search(f"/commit/{digits}")
    assert not WANDB_KEY.search(f"repo@{digits}")
    assert not WANDB_KEY.search(f"{digits}8")
