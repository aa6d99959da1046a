from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.recorded import Answer, Ask, Project, with_manifest


def _refused(answer: Answer, code: int, *sentences: str) -> None:
    assert (answer.code, answer.out) == (code, "")
    assert "Traceback" not in answer.err
    for sentence in sentences:
        assert sentence in answer.error


def test_what_was_recorded_is_shown(numbers: Project, ask: Ask) -> None:
    answer = ask("show", "latest", cwd=numbers.folder)
    assert answer.code == 0
    assert f"numbers/{numbers.manifest.run.id}" in answer.text
    for told in (
        "can be rerun",
        "command python train.py",
        "uncommitted network.py",
        "seed 7",
        "config epochs=3",
    ):
        assert told in answer.text


def test_as_data_it_is_the_whole_manifest(numbers: Project, ask: Ask) -> None:
    data = ask("show", "latest", "--json", cwd=numbers.folder).data
    assert data["manifest"] == json.loads(numbers.manifest.model_dump_json())
    assert [moment["moment"] for moment in data["moments"]] == [
        *("initial", "epoch", "epoch", "epoch", "final")
    ]


@pytest.mark.parametrize("place", [".", "files", "files/repro"])
def test_a_run_is_found_by_any_of_its_folders(place: str, numbers: Project, ask: Ask) -> None:
    assert ask("show", numbers.run_folder / place, cwd=Path("/")).code == 0


def test_an_offline_run_is_found_by_its_id(numbers: Project, ask: Ask) -> None:
    assert ask("show", numbers.manifest.run.id, cwd=numbers.folder).code == 0


def test_a_run_recorded_without_wandb_repro_says_how_to_record_one(
    tmp_path: Path, ask: Ask
) -> None:
    folder = tmp_path / "offline-run-1"
    folder.mkdir()
    answer = ask("show", folder, cwd=tmp_path)
    _refused(answer, 2, "was recorded without wandb_repro", "wandb_repro.init(...)")


@pytest.mark.parametrize(
    ("run", "sentence"),
    [
        ("latest", "There is no run here to call 'latest'"),
        ("./gone", "There is no folder ./gone"),
        ("/gone/away", "There is no folder /gone/away"),
        ("abc123", "No run 'abc123'"),
    ],
)
def test_a_run_that_is_not_there_says_what_to_give(
    run: str, sentence: str, tmp_path: Path, ask: Ask
) -> None:
    _refused(ask("show", run, cwd=tmp_path), 2, sentence, "→")


def _write(project: Project, document: bytes) -> None:
    project.capsule.manifest.write_bytes(document)


def _edited(project: Project, name: str, value: Any) -> bytes:
    document = json.loads(project.capsule.manifest.read_bytes())
    return json.dumps({**document, name: value}).encode()


def test_a_manifest_that_was_cut_off_is_not_believed(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    whole = project.capsule.manifest.read_bytes()
    for length in (0, 1, len(whole) // 2, len(whole) - 3):
        _write(project, whole[:length])
        _refused(ask("show", "latest", cwd=project.folder), 4, "manifest", "cut off")


def test_a_manifest_changed_by_hand_is_not_believed(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    _write(project, _edited(project, "recorded_at", "yesterday"))
    answer = ask("rerun", "latest", "--dry-run", cwd=project.folder)
    _refused(answer, 4, "digest does not match its content", "again")


def test_a_manifest_of_a_newer_major_version_asks_for_an_upgrade(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    _write(project, _edited(project, "version", "2.0"))
    _refused(ask("show", "latest", cwd=project.folder), 4, "format 2.0", "Upgrade wandb-repro")


def test_a_trail_changed_by_hand_is_not_believed(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    trail = project.capsule.trail
    trail.write_text(trail.read_text().replace('"epoch":2', '"epoch":1', 1))
    for words in (("show", "latest"), ("rerun", "latest", "--dry-run")):
        _refused(ask(*words, cwd=project.folder), 4, "trail")


def test_a_stranger_cannot_move_the_cursor(numbers: Project, tmp_path: Path, ask: Ask) -> None:
    project = numbers.copy(tmp_path / "project")
    with_manifest(project, {"execution.command.arguments": ["\x1b]0;pwned\x07", "\u202eabc"]})
    for words in (("show", "latest"), ("rerun", "latest", "--dry-run")):
        answer = ask(*words, cwd=project.folder)
        assert answer.code == 0, answer.err
        assert not {"\x1b", "\x07", "\u202e"} & {*answer.out, *answer.err}
