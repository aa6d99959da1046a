"""JSON with one spelling a value."""

from __future__ import annotations

import json
import math
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wandb_repro.errors import ManifestError
from wandb_repro.manifest import canonical
from wandb_repro.manifest.canonical import JSON

TEXT = st.text(st.characters(exclude_categories=["Cs"]))
VALUES: st.SearchStrategy[JSON] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(TEXT, inner),
    max_leaves=20,
)


@given(VALUES)
def test_what_is_written_is_read_back(value: JSON) -> None:
    assert canonical.loads(canonical.dumps(value)) == value


@given(st.dictionaries(TEXT, st.integers()))
def test_the_order_of_keys_does_not_count(value: dict[str, JSON]) -> None:
    backwards = dict(reversed(value.items()))

    assert canonical.dumps(backwards) == canonical.dumps(value)


@given(VALUES, VALUES)
def test_two_values_have_one_digest_only_if_they_are_spelled_alike(one: JSON, two: JSON) -> None:
    alike = json.dumps(one, sort_keys=True) == json.dumps(two, sort_keys=True)

    assert (canonical.sha256(one) == canonical.sha256(two)) == alike


SPELLED: dict[str, tuple[JSON, bytes]] = {
    "keys in order, no blanks": ({"b": 1, "a": [True, None]}, b'{"a":[true,null],"b":1}'),
    "letters as they are": ("é→", '"é→"'.encode()),
    "one is not one point zero": ([1, 1.0], b"[1,1.0]"),
    "the sign of zero": ([0.0, -0.0], b"[0.0,-0.0]"),
    "large integers": (2**70, b"1180591620717411303424"),
    "control characters": ("\x00\x1b\n", b'"\\u0000\\u001b\\n"'),
    "half a character": ("caf\udce9.py", '"caf\ufffd.py"'.encode()),
}


@pytest.mark.parametrize(("value", "expected"), SPELLED.values(), ids=SPELLED)
def test_a_value_has_one_spelling(value: JSON, expected: bytes) -> None:
    assert canonical.dumps(value) == expected


def test_a_digest_is_the_same_for_ever() -> None:
    assert canonical.sha256({"b": [1.5, "é"], "a": None}) == (
        "8c6adbf0c005256740161897e39833ba61971b4e5f2789f305d35219729aa2da"
    )


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
def test_a_number_that_json_lacks_is_not_written(number: float) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        canonical.dumps({"loss": number})


def nested(levels: int) -> bytes:
    return b"[" * levels + b"]" * levels


def test_what_is_too_deep_to_be_read_is_not_written() -> None:
    value: JSON = []
    for _ in range(canonical.MAX_DEPTH):
        value = [value]

    with pytest.raises(ValueError, match="nested deeper than 100 levels"):
        canonical.dumps(value)


def test_a_hundred_levels_are_read() -> None:
    assert canonical.loads(nested(canonical.MAX_DEPTH))


REFUSED = {
    "nothing": (b"", "is not valid JSON"),
    "cut off": (b'{"a": 1', "is not valid JSON"),
    "two values": (b"{} {}", "is not valid JSON"),
    "a key twice": (b'{"a": 1, "a": 1}', "The key 'a' occurs twice in one object."),
    "a key twice, inside": (b'[{"b": {"a": 1, "a": 2}}]', "The key 'a' occurs twice"),
    "a key twice, spelled otherwise": (b'{"a": 1, "\\u0061": 2}', "The key 'a' occurs twice"),
    "NaN": (b'{"a": NaN}', "The document contains NaN, which is not JSON."),
    "Infinity": (b"[-Infinity]", "The document contains -Infinity, which is not JSON."),
    "a number no float can hold": (b"[1e999]", "The document contains 1e999, which is too large"),
    "a number of 5,000 digits": (b"9" * 5000, "is not valid JSON"),
    "not UTF-8": (b'"\xff"', "is not valid JSON"),
    "a surrogate in UTF-8": (b'"\xed\xa0\x80"', "is not valid JSON"),
    "half a character": (b'"\\ud800"', "is not valid JSON"),
    "half a character in a key": (b'{"\\uDC00": 1}', "is not valid JSON"),
    "a byte order mark": (b"\xef\xbb\xbf{}", "is not valid JSON"),
    "101 levels": (nested(101), "nested too deeply"),
    "200,000 levels": (b"[" * 200_000, "nested too deeply"),
    "too large": (b" " * (canonical.MAX_BYTES + 1), "more than 16777216"),
}


@pytest.mark.parametrize(("document", "why"), REFUSED.values(), ids=REFUSED)
def test_a_bad_document_is_refused(document: bytes, why: str) -> None:
    with pytest.raises(ManifestError, match=why):
        canonical.loads(document)


@given(st.binary(max_size=200))
def test_no_bytes_raise_anything_else(document: bytes) -> None:
    try:
        value = canonical.loads(document)
    except ManifestError:
        return
    canonical.dumps(value)


def test_a_key_that_stands_twice_is_found_at_once_among_many() -> None:
    names = ",".join(f'"k{number}":0' for number in range(200_000))
    start = time.perf_counter()

    with pytest.raises(ManifestError, match="'k199999' occurs twice"):
        canonical.loads(f'{{{names},"k199999":0}}'.encode())

    assert time.perf_counter() - start < 5  # the square of it would take hours


def test_a_pair_of_surrogates_is_one_character() -> None:
    assert canonical.loads(b'"\\ud83d\\ude00"') == "😀"
