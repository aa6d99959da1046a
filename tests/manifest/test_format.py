"""FORMAT.md says what the records are."""

from __future__ import annotations

import importlib
import pkgutil
import re
import struct
from pathlib import Path
from typing import cast

import numpy as np
import pytest
import xxhash

import wandb_repro.manifest
from tests.support.golden import DATA
from wandb_repro.digest import Array, leaf_digest
from wandb_repro.manifest.base import ExecutionRecord, Record
from wandb_repro.manifest.manifest import VERSION, Manifest
from wandb_repro.manifest.trail import Digested
from wandb_repro.manifest.trail_file import parse
from wandb_repro.manifest.trail_records import VERSION as TRAIL_VERSION

FOLDER = Path(wandb_repro.manifest.__path__[0])
FORMAT = (FOLDER / "FORMAT.md").read_text(encoding="utf-8")
NOT_STORED = {"request", "base"}


def records() -> list[type[Record]]:
    """Return every record of the capsule's format."""
    names = {module.name for module in pkgutil.iter_modules([str(FOLDER)])} - NOT_STORED
    modules = [importlib.import_module(f"wandb_repro.manifest.{name}") for name in sorted(names)]
    found = [value for module in modules for value in vars(module).values()]
    kinds = {one for one in found if isinstance(one, type) and issubclass(one, Record)}
    return sorted(kinds - {Record, ExecutionRecord, Digested}, key=lambda kind: kind.__name__)


def told_of(kind: type[Record]) -> str:
    """Return what the text says of a record: its paragraph, or the table below its heading."""
    before, name, after = FORMAT.partition(f"**{kind.__name__}**")
    assert name, f"FORMAT.md does not tell of {kind.__name__}"
    paragraphs = after.split("\n\n")
    return "".join(paragraphs[:2] if before.endswith("### ") else paragraphs[:1])


@pytest.mark.parametrize("kind", records(), ids=lambda kind: kind.__name__)
def test_every_field_of_a_record_is_told(kind: type[Record]) -> None:
    told = set(re.findall(r"`(\w+)`", told_of(kind)))

    assert set(kind.model_fields) - told == set()


@pytest.mark.parametrize("kind", records(), ids=lambda kind: kind.__name__)
def test_a_record_that_refuses_unknown_fields_is_marked(kind: type[Record]) -> None:
    marked = f"**{kind.__name__}** (E)" in FORMAT

    assert marked == issubclass(kind, ExecutionRecord)


def test_the_format_told_is_the_one_that_is_written() -> None:
    title = FORMAT.splitlines()[0]
    assert f"manifest, version {VERSION}, and trail, version {TRAIL_VERSION}" in title


def test_a_leaf_digest_is_what_the_text_says() -> None:
    array = np.array([[1.5, -0.0, 2.0]], dtype=">f4")
    told = b"wrepro-leaf-xxh3-128-1\0float32\0" + struct.pack("<IQQ", 2, 1, 3)

    assert leaf_digest(cast("Array", array)) == xxhash.xxh3_128_hexdigest(
        told + struct.pack("<3f", 1.5, -0.0, 2)
    )


def test_a_root_digest_is_what_the_text_says() -> None:
    found = parse((DATA / "trails" / "1.0.jsonl").read_bytes().splitlines(keepends=True))

    for weights, shapes in found.with_shapes():
        told = b"wrepro-root-xxh3-128-1\0"
        groups = [shape.group for shape in shapes]
        for place, (group, digest) in enumerate(zip(groups, weights.leaves, strict=True)):
            told += f"{group}\0".encode() + struct.pack("<I", groups[:place].count(group))
            told += bytes.fromhex(digest)
        assert weights.root == xxhash.xxh3_128_hexdigest(told)


def test_the_manifest_names_a_format_that_is_told() -> None:
    assert f"`{Manifest.model_fields['format'].default}`" in FORMAT
