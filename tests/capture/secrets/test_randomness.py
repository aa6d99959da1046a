from __future__ import annotations

import pytest

from tests.support.planted import hexadecimal, signs
from wandb_repro.capture.secrets.randomness import looks_generated, looks_random


@pytest.mark.parametrize(
    ("text", "random"),
    [("x7Kp2mQ9vR", True), ("xxxxxxxxxxx1", False), ("sk-learn-words", False), ("1234", False)],
)
def test_random_text_has_a_digit_and_many_different_characters(text: str, random: bool) -> None:
    assert looks_random(text) is random


@pytest.mark.parametrize("text", [signs("a", 20), hexadecimal("b", 32), signs("c", 40)])
def test_a_key_looks_generated(text: str) -> None:
    assert looks_generated(text)


@pytest.mark.parametrize("text", ["layer_12_key_projection", "Conv2DTranspose"])
def test_a_name_with_a_number_does_not_look_generated(text: str) -> None:
    assert not looks_generated(text)
