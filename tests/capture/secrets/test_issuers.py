"""Each token of the table, in every place where a value can stand."""

from __future__ import annotations

import pytest

from tests.support.planted import signs
from tests.support.secret_places import PLACES, Place
from wandb_repro.capture.secrets.issuers import ALPHABETS, ISSUED, Issued
from wandb_repro.capture.secrets.redact import redact_text
from wandb_repro.capture.secrets.redact_code import redact_source
from wandb_repro.capture.secrets.scan import secret_in_text


def _example(kind: Issued, length: int) -> str:
    """Return a made-up token: a prefix and noise that has a digit at its end."""
    prefix = kind.prefix.decode()
    return prefix + signs(prefix, length - 1, kind.alphabet.decode()) + "7"


EXAMPLES = {kind.prefix: _example(kind, kind.shortest) for kind in ISSUED}


def test_the_table_has_so_many_issuers() -> None:
    assert len({kind.issuer.partition(" ")[0] for kind in ISSUED}) >= 150


def test_the_table_says_each_thing_once() -> None:
    assert all(kind.prefix.isascii() and len(kind.prefix) > 1 for kind in ISSUED)
    assert all(0 < kind.shortest <= kind.longest for kind in ISSUED)
    assert {kind.alphabet for kind in ISSUED} <= set(ALPHABETS.values())
    lengths = [(kind.prefix, kind.shortest) for kind in ISSUED]
    assert len(set(lengths)) == len(lengths)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_token_is_found_in_a_file_and_cut_from_a_diff_wherever_it_stands(place: Place) -> None:
    texts = {token: place.anonymous().with_value(token) for token in EXAMPLES.values()}
    assert [text for text in texts.values() if not secret_in_text(text.encode(), b"a")] == []
    redacted = redact_text("\n".join(texts.values()))
    assert [token for token in texts if token in redacted] == []


@pytest.mark.parametrize("kind", ISSUED, ids=lambda kind: kind.prefix.decode())
def test_a_token_of_any_length_is_found_and_no_shorter_one(kind: Issued) -> None:
    def why(length: int) -> str:
        return secret_in_text(f'x = "{_example(kind, length)}"\n'.encode())

    for length in (kind.shortest, (kind.shortest + kind.longest) // 2, kind.longest):
        assert why(length).startswith("it holds a token for ")
    assert kind.issuer not in why(kind.shortest - 1)


@pytest.mark.parametrize("length", [12, 20, 40])
@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_random_value_of_a_secrets_name_is_found_and_cut(place: Place, length: int) -> None:
    value = signs(f"{length} characters", length)
    text = place.with_value(value)
    assert secret_in_text(text.encode(), place.file.encode())
    assert value not in redact_text(text)
    assert value not in redact_source(text)


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_a_word_in_such_a_place_is_no_secret(place: Place) -> None:
    text = place.with_value("the_test_encoder")
    if "://" not in text and not place.file.endswith(
        (".yaml", ".yml", ".ini", ".properties", ".toml", ".json", ".xml")
    ):
        assert secret_in_text(text.encode(), b"a.py") == ""
