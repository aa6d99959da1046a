"""No bytes of a stranger's make a reader raise anything but an error of ours."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fuzz.choices import Choices
from tests.fuzz.readers import READERS, SEEDS, SLOW
from wandb_repro.errors import ReproError

QUICK: Any = {
    "deadline": None,
    "report_multiple_bugs": False,
    "suppress_health_check": list(HealthCheck),
}
NOISE = st.binary(max_size=300)
"""For a reader that changes something valid, these are choices."""


def _spoiled(seed: bytes) -> st.SearchStrategy[bytes]:
    """Return valid input of which a few bytes are others, doubled, or gone."""
    return st.binary(max_size=60).map(lambda noise: spoiled(seed, Choices(noise)))


def spoiled(seed: bytes, choices: Choices) -> bytes:
    """Return valid input of which a few bytes are others, doubled, or gone."""
    content = bytearray(seed)
    for _ in range(1 + choices.number(5)):
        at = choices.number(len(content) + 1)
        length = choices.number(8)
        put = choices.one_of((b"", bytes([choices.number(256)]), content[at : at + 40] * 2, b'"'))
        content[at : at + length] = put
    return bytes(content)


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, **QUICK)
@given(data=st.data())
def test_a_reader_raises_only_errors_of_ours(name: str, data: st.DataObject) -> None:
    given_bytes = data.draw(st.one_of(NOISE, *map(_spoiled, SEEDS.get(name, []))))
    with contextlib.suppress(ReproError):
        READERS[name](given_bytes)


@pytest.mark.parametrize("name", SLOW)
@settings(max_examples=12, **QUICK)
@given(noise=NOISE)
def test_a_slow_reader_raises_only_errors_of_ours(name: str, noise: bytes) -> None:
    with contextlib.suppress(ReproError):
        SLOW[name](noise)


@pytest.mark.parametrize("name", SEEDS)
def test_valid_input_is_read(name: str) -> None:
    for seed in SEEDS[name][:1]:
        READERS[name](seed)


def test_the_table_of_what_a_record_gives_names_every_reader() -> None:
    security = Path(__file__).parents[2] / "SECURITY.md"
    rows = [line.split("|") for line in security.read_text().splitlines() if line[:1] == "|"]
    named = {name for row in rows[2:] for name in re.findall(r"`(\w+)`", row[4])}
    assert named == {*READERS, *SLOW}
