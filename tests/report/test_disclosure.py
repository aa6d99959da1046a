"""What a run uploads, as text and as data."""

from __future__ import annotations

import json
from dataclasses import replace

from tests.support.terminal import on_paper
from wandb_repro.manifest.code import LeftOut
from wandb_repro.report.disclosure import Uploads, uploads_data, uploads_text

FOUND = Uploads(
    offline=False,
    ours={"manifest.json": 1234, "code.bundle": 5_000_000},
    source="12 files, stored with the run",
    left_out=(LeftOut(path="big.npz", size_bytes=90, reason="larger than 50 MB"),),
    fields={"execution": ("command", "code"), "description": ("machine",)},
    environment=("PYTHONHASHSEED",),
    theirs={"output.log": 10},
    warnings=(),
)


def text_of(found: Uploads) -> str:
    return on_paper(uploads_text("ada/digits/a1", found))


def test_every_file_is_listed_with_its_size() -> None:
    text = text_of(FOUND)

    assert text.startswith("ada/digits/a1  what is uploaded\n")
    listed = [line.split(maxsplit=2)[:3] for line in text.splitlines()]
    for row in (
        ["1.2", "kB", "manifest.json"],
        ["5.0", "MB", "code.bundle"],
        ["10", "bytes", "output.log"],
    ):
        assert row in listed
    assert "larger than 50 MB: big.npz" in text


def test_an_offline_run_uploads_when_it_is_synced() -> None:
    assert "what will be uploaded when it is synced" in text_of(replace(FOUND, offline=True))


def test_warnings_come_before_everything_else_with_what_to_do() -> None:
    warned = replace(FOUND, warnings=(("--key looks like a credential", "remove it"),))
    text = text_of(warned)

    assert text.index("Check these first") < text.index("→ remove it") < text.index("Capsule")
    assert "Check these first" not in text_of(FOUND)


def test_more_than_thirty_files_of_w_and_b_are_counted() -> None:
    text = text_of(replace(FOUND, theirs={f"media/{number}.png": 1 for number in range(42)}))

    assert "media/29.png" in text
    assert "media/30.png" not in text
    assert "and 12 more files" in text


def test_no_recorded_variable_reads_as_none() -> None:
    lines = text_of(replace(FOUND, environment=())).splitlines()

    assert ["variables", "none"] in [line.split() for line in lines]


def test_the_same_as_data_is_json_and_names_each_part() -> None:
    data = uploads_data(replace(FOUND, warnings=(("a key", "remove it"),)))

    assert json.loads(json.dumps(data))["ours"] == {"manifest.json": 1234, "code.bundle": 5_000_000}
    assert data["left_out"][0]["path"] == "big.npz"
    assert data["warnings"] == [{"sentence": "a key", "cure": "remove it"}]
    assert data["offline"] is False
