from __future__ import annotations

import re

import pytest

from wandb_repro.capture.secrets.token_patterns import LINES, TOKENS, Token


@pytest.mark.parametrize("token", [*TOKENS, *LINES], ids=lambda token: token.literals[0])
def test_each_kind_can_be_searched_in_bytes_and_named_in_a_sentence(token: Token) -> None:
    assert re.compile(token.pattern.encode())
    assert token.literals
    assert all(literal.isascii() and len(literal) > 1 for literal in token.literals)
    assert re.match(r"an? \w", token.name)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("AKIA" + "Q3EGV5JZ7XWN2LPD", "an AWS access key"),
        ("ghp_" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY2zA4", "a GitHub token"),
        ("glpat-" + "x7Kp2mQ9vR4tY8wZ1aBc", "a GitLab token"),
        ("hf_" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0", "a Hugging Face token"),
        ("npm_" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY2zA4", "an npm token"),
        ("1234567890:AA" + "aB3dE5fG7hJ9kL1mN2pQ4rS6tU8vW0xY2", "a Telegram token"),
    ],
)
def test_a_token_is_recognised_in_a_line_and_not_when_it_is_cut_short(text: str, name: str) -> None:
    kinds = [token for token in TOKENS if token.name == name]
    assert any(re.search(kind.pattern, f'key = "{text}"') for kind in kinds)
    assert not any(re.search(kind.pattern, f'key = "{text[:-3]}"') for kind in kinds)
    (matching,) = [kind for kind in kinds if re.search(kind.pattern, text)]
    at = min(text.find(literal) for literal in matching.literals if literal in text)
    assert 0 <= at <= matching.before
