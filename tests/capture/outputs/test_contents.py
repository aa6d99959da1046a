"""One digest over the parts of a file."""

from __future__ import annotations

import io

import xxhash

from wandb_repro.capture.outputs.contents import (
    Contents,
    Part,
    by_parts,
    bytes_digest,
    stream_digest,
)
from wandb_repro.capture.outputs.output_budget import OutputBudget

ONE, TWO = bytes_digest(b"1"), bytes_digest(b"2")


def test_the_order_in_which_parts_are_found_does_not_count() -> None:
    forth = by_parts("zip", [Part("a", ONE), Part("b", TWO)])
    back = by_parts("zip", [Part("b", TWO), Part("a", ONE)])
    assert forth == back
    assert forth.digest.startswith("wrepro-root-xxh3-128-1:")


def test_names_and_contents_count() -> None:
    found = {
        by_parts("zip", parts).digest
        for parts in ([Part("a", ONE)], [Part("a", TWO)], [Part("b", ONE)], [])
    }
    assert len(found) == 4


def test_a_file_without_parts_is_digested_by_its_bytes() -> None:
    content = b"x" * 3_000_000
    whole = stream_digest(io.BytesIO(content).read, OutputBudget())
    expected = xxhash.xxh3_128_hexdigest(b"wrepro-file-xxh3-128-1\0" + content)
    assert Contents("bytes", (), whole).digest == f"wrepro-file-xxh3-128-1:{expected}"


def test_a_name_that_is_not_utf_8_is_written_as_escapes() -> None:
    (part,) = by_parts("hdf5", [Part(b"caf\xe9".decode("utf-8", "surrogateescape"), ONE)]).parts
    assert part.name == "caf\\udce9"
