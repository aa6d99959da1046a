from __future__ import annotations

import pytest

from wandb_repro.capture.secrets.assigned_values import looks_random, places_of, secret_setting


@pytest.mark.parametrize(
    ("text", "path", "found"),
    [
        (b'db_password: "x7Kp2mQ9"', b"settings.yaml", "it sets db_password"),
        (b"db_password = x7Kp2mQ9", b"settings.ini", "it sets db_password"),
        (b"db_password = x7Kp2mQ9", b"train.py", ""),
        (b'api_key = "x7Kp2mQ9vR4tY8wZ"', b"train.py", "it sets api_key"),
        (b'api_key = "tokenizer-for-digits"', b"train.py", ""),
        (b"postgres://ada:x7Kp2mQ9@db/x", b"train.py", "it holds an address with a password"),
        (b"postgres://ada:ada@db/x", b"train.py", ""),
        (b"postgres://ada:$PASSWORD@db/x", b"train.py", ""),
        (b'password: "your-password"', b"a.yaml", ""),
        (b'key: "x7Kp2mQ9vR4tY8wZ"', b"a.yaml", ""),
        (b"secret_path: /run/secrets/x7Kp2mQ9", b"a.yaml", ""),
        (b"", b"a.yaml", ""),
    ],
)
def test_a_value_is_secret_by_its_name_and_looks(text: bytes, path: bytes, found: str) -> None:
    assert secret_setting(text, path) == found


@pytest.mark.parametrize(
    ("text", "random"),
    [("x7Kp2mQ9vR", True), ("xxxxxxxxxxx1", False), ("sk-learn-words", False), ("1234", False)],
)
def test_random_text_has_a_digit_and_many_different_characters(text: str, random: bool) -> None:
    assert looks_random(text) is random


def test_every_place_of_a_literal_is_found_overlapping_ones_too() -> None:
    assert list(places_of(b"aa", b"aaa-aa")) == [0, 1, 4]
    assert list(places_of(b"x", b"")) == []
