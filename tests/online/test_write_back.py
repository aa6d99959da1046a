"""That and where a run was reproduced is noted on it when somebody asks for it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from tests.online.conftest import Original
from tests.report.pages import Page
from tests.support.machine import Machine, Stored
from tests.support.records import full_manifest, rerun_manifest
from tests.support.server import WandbServer
from wandb_repro.errors import ReproError
from wandb_repro.recording.card import page_reproduced
from wandb_repro.report.reproduced import attempt_of, place_of, reproduced_line
from wandb_repro.store.write_back import note_attempt, replace_card


def panel_of(stored: Stored) -> Path:
    summary = json.loads(stored.file("wandb-summary.json").read_bytes())
    return stored.file(summary["repro/card"]["path"])


@pytest.fixture(autouse=True)
def card_as_before(original: Original) -> Iterator[None]:
    """Put the card of the shared run back: tests of other files read it, in any order."""
    files = [original.stored.capsule.report, panel_of(original.stored)]
    before = [path.read_bytes() for path in files]
    yield
    for path, content in zip(files, before, strict=True):
        path.write_bytes(content)


def connect(server: WandbServer, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in server.environment().items():
        monkeypatch.setenv(name, value)


@pytest.mark.slow
def test_two_who_write_at_once_are_both_counted_and_nothing_else_is_lost(
    original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(original.stored.server, monkeypatch)
    before = original.stored.summary
    attempts = {"one": "identical, same machine", "two": "identical, other CPU"}

    threads = [
        threading.Thread(target=note_attempt, args=(original.stored.path, *it, reproduced_line))
        for it in attempts.items()
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    line = note_attempt(original.stored.path, "three", "diverged, other GPU", reproduced_line)

    after = original.stored.summary
    assert {name: after[f"repro/rerun/{name}"] for name in attempts} == attempts
    assert line.startswith("Reproduced in 2 of 3 reruns (")
    assert after["repro/reproduced"] == line
    assert {name: after[name] for name in before} == before


def test_a_run_that_is_not_there_is_an_error_and_no_more(
    original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(original.stored.server, monkeypatch)

    with pytest.raises(ReproError, match="no run"):
        note_attempt("default/online/not-there", "x", "identical, same machine", reproduced_line)


@pytest.mark.slow
def test_rerun_writes_back_when_asked(original: Original, clean: Machine) -> None:
    words = ("rerun", original.stored.path, "--env", "here", "--yes", "--write-back")

    done = clean.repro(*words)

    assert done.code == 0, done.said
    assert f"Written back to {original.stored.path}: Reproduced in " in done.said
    assert "same machine" in original.stored.summary["repro/reproduced"]


def test_the_card_of_the_original_tells_of_its_reruns_also_in_a_media_panel(
    original: Original, monkeypatch: pytest.MonkeyPatch
) -> None:
    connect(original.stored.server, monkeypatch)
    stored = original.stored
    report, shown = stored.capsule.report, panel_of(stored)
    before = report.read_text()
    assert shown.read_text() == before
    line = "Reproduced in 2 of 3 reruns (same machine 1, other CPU 1)"

    replace_card(stored.path, partial(page_reproduced, stored.capsule.folder, line))

    after, panel = report.read_text(), shown.read_text()
    assert panel == after
    assert line in Page(after).text
    assert line not in before
    assert Page(after).tags.count("ins") == Page(before).tags.count("ins") > 0


LINES: list[tuple[list[str], str]] = [
    ([], "Reproduced in 0 of 0 reruns"),
    (["diverged, other GPU"], "Reproduced in 0 of 1 reruns"),
    (["inconclusive, same machine", "nonsense"], "Reproduced in 0 of 0 reruns"),
    (
        ["identical, same machine", "identical, other CPU", "equivalent, same machine"],
        "Reproduced in 3 of 3 reruns (same machine 2, other CPU 1)",
    ),
]


@pytest.mark.parametrize(("attempts", "line"), LINES)
def test_the_line_counts_what_was_reproduced_and_where(attempts: list[str], line: str) -> None:
    assert reproduced_line(attempts) == line


PLACES: list[tuple[dict[str, object], str]] = [
    ({}, "same machine"),
    ({"description.machine.hostname": "hopper"}, "other machine"),
    ({"description.runtime.processor.model": "Intel"}, "other CPU"),
    ({"description.accelerator.gpus.0.name": "NVIDIA A100"}, "other GPU"),
    ({"description.machine": {"unavailable": "lost"}}, "other machine"),
]


@pytest.mark.parametrize(("changes", "place"), PLACES)
def test_where_a_rerun_ran_is_seen_from_the_original(
    changes: dict[str, object], place: str
) -> None:
    rerun = rerun_manifest(changes)

    assert place_of(full_manifest(), rerun) == place
    assert attempt_of("identical", full_manifest(), rerun) == f"identical, {place}"
