"""Whole capsules from a stranger, opened by each command: refused, nothing written, nothing run."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support.bundles import HOSTILE, bundle_of
from tests.support.recorded import NUMBERS, Answer, Ask, Project, with_manifest
from tests.support.records import lines_of
from tests.support.repositories import fingerprint
from wandb_repro.manifest import canonical
from wandb_repro.manifest.trail_records import Missing, Start

ESCAPES = "\x1b]0;owned\x07\x9b31m\u202egpj\r\x1b[2Kevil\u2066\ufeff\x00"
INSPECTING = (("show",), ("show", "--leaving"), ("diff",), ("verify",), ("rerun", "--dry-run"))


def _asked(ask: Ask, command: tuple[str, ...], run: Path, cwd: Path) -> Answer:
    first, *options = command
    runs = [run, run] if first in ("diff", "verify") else [run]
    environment = ["--env", "here"] if first == "rerun" else []
    return ask(first, *runs, *options, *environment, cwd=cwd)


def _edited(project: Project, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the manifest as anybody can, its own digest made anew."""
    body = json.loads(project.capsule.manifest.read_bytes())
    change(body)
    del body["digest"]
    digest = "sha256:" + canonical.sha256(body)
    project.capsule.manifest.write_bytes(canonical.dumps({**body, "digest": digest}))


@pytest.fixture
def victim(tmp_path: Path) -> Path:
    """Give a folder with somebody's work, beside everything that a test does."""
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "thesis.txt").write_text("years of work")
    return tmp_path / "victim"


def _refused(ask: Ask, project: Project, command: tuple[str, ...], tmp_path: Path) -> Answer:
    """Check that a command refuses in one sentence, and changes nothing anywhere."""
    before = fingerprint(tmp_path)
    answer = _asked(ask, command, project.run_folder, tmp_path)
    assert answer.code == 4, answer.err
    assert "Traceback" not in answer.err
    assert fingerprint(tmp_path) == before
    return answer


@pytest.mark.parametrize("command", INSPECTING, ids=" ".join)
def test_no_text_of_a_record_moves_the_cursor(
    numbers: Project, ask: Ask, tmp_path: Path, command: tuple[str, ...]
) -> None:
    project = numbers.copy(tmp_path / "project")
    texts = {
        "run.id": ESCAPES,
        "run.entity": ESCAPES,
        "run.project": ESCAPES.replace("\x00", ""),
        "recorded_by": ESCAPES,
        "execution.command.arguments": [ESCAPES.replace("\x00", "")],
        "execution.config": {ESCAPES: ESCAPES},
        "execution.code.left_out": [{"path": ESCAPES, "size_bytes": 1, "reason": ESCAPES}],
        "ending.detail": ESCAPES,
    }
    with_manifest(project, texts)

    answer = _asked(ask, command, project.run_folder, tmp_path)

    shown = {*answer.out, *answer.err} - {"\n"}
    assert shown
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r", "\u2066", "\ufeff", "\x00"} & shown


@pytest.mark.parametrize("place", ["run.name", "execution.packages.digest", "version", "format"])
def test_an_error_message_moves_no_cursor(
    numbers: Project, ask: Ask, tmp_path: Path, place: str
) -> None:
    project = numbers.copy(tmp_path / "project")
    *parents, last = place.split(".")

    def spoil(body: dict[str, Any]) -> None:
        inner: Any = body
        for name in parents:
            inner = inner[name]
        inner[last] = {ESCAPES: 1}

    _edited(project, spoil)
    answer = _refused(ask, project, ("show",), tmp_path)
    assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & {*answer.out, *answer.err}


def test_the_reasons_in_a_trail_move_no_cursor(numbers: Project, ask: Ask, tmp_path: Path) -> None:
    project = numbers.copy(tmp_path / "project")
    start = Start(leaf_algorithm=ESCAPES, root_algorithm=ESCAPES)
    why = Missing(fit=1, moment="initial", epoch=0, step=0, reason=ESCAPES)
    project.capsule.trail.write_bytes(b"".join(lines_of([start, why])))

    for command in (("show",), ("verify",)):
        answer = _asked(ask, command, project.run_folder, tmp_path)
        assert not {"\x1b", "\x07", "\x9b", "\u202e", "\r"} & {*answer.out, *answer.err}


DOCUMENTS: dict[str, tuple[Callable[[], bytes], str]] = {
    "a hundred megabytes": (lambda: b"[" + b"0," * 52_428_800 + b"0]", "more than 16777216"),
    "a hundred thousand levels": (lambda: b"[" * 100_000 + b"]" * 100_000, "nested too deeply"),
    "objects in objects": (lambda: b'{"a":' * 50_000 + b"1" + b"}" * 50_000, "nested too deeply"),
    "NaN": (lambda: b'{"format": NaN}', "NaN, which is not JSON"),
    "Infinity": (lambda: b'{"format": -Infinity}', "Infinity, which is not JSON"),
    "a number beyond any float": (lambda: b'{"format": 1e999}', "which is too large for a float"),
    "an enormous integer": (lambda: b'{"a": ' + b"9" * 100_000 + b"}", "not valid JSON"),
    "half a character": (lambda: b'{"format": "\\ud800"}', "not valid JSON"),
    "a key twice": (lambda: b'{"format": 1, "format": 2}', "occurs twice"),
    "a byte order mark": (lambda: b"\xef\xbb\xbf{}", "not valid JSON"),
    "UTF-16": (lambda: "{}".encode("utf-16"), "not valid JSON"),
    "NULs": (lambda: bytes(1000), "not valid JSON"),
    "nothing": (lambda: b"", "not valid JSON"),
    "gzip": (lambda: b"\x1f\x8b\x08" + bytes(100), "not valid JSON"),
    "no object": (lambda: b"[]", "not a manifest"),
    "another document": (lambda: b'{"format": "x"}', "not a manifest"),
}


@pytest.mark.parametrize(("make", "why"), DOCUMENTS.values(), ids=DOCUMENTS)
def test_a_document_that_is_none_is_refused(
    numbers: Project, ask: Ask, tmp_path: Path, make: Callable[[], bytes], why: str
) -> None:
    project = numbers.copy(tmp_path / "project")
    project.capsule.manifest.write_bytes(make())

    assert why in _refused(ask, project, ("show",), tmp_path).error


@pytest.mark.parametrize("name", HOSTILE)
def test_a_rerun_of_a_hostile_tree_writes_nothing(
    numbers: Project, ask: Ask, tmp_path: Path, victim: Path, name: str
) -> None:
    project = numbers.copy(tmp_path / "project")
    bundle, tree = bundle_of(tmp_path / "made", HOSTILE[name])
    content = bundle.read_bytes()
    project.capsule.bundle.write_bytes(content)
    told = {"sha256": hashlib.sha256(content).hexdigest(), "size_bytes": len(content)}
    with_manifest(
        project,
        {
            "execution.code.tree": tree,
            "execution.code.bundle": {"name": "code.bundle", "kept": "run", **told},
        },
    )
    before = fingerprint(tmp_path)

    words = ("rerun", project.run_folder, "--env", "here", "--yes", "--dir", tmp_path / "new")
    answer = ask(*words, cwd=tmp_path)

    assert answer.code == 4, answer.err
    assert "Traceback" not in answer.err
    assert "epoch 1" not in answer.err
    assert fingerprint(tmp_path) == before
    assert [path.name for path in victim.iterdir()] == ["thesis.txt"]


ELSEWHERE: dict[str, dict[str, object]] = {
    "a script of somebody's": {"target": "{victim}/job.py"},
    "a script above the tree": {"target": "../victim/job.py"},
    "a script by a detour": {"target": "a/../../victim/job.py"},
    "a program": {"target": "/bin/sh"},
    "a program as a command": {"kind": "console", "target": "/bin/sh"},
    "a command above": {"kind": "console", "target": "../../bin/sh"},
    "an option as a command": {"kind": "console", "target": "-c"},
    "an option as a module": {"kind": "module", "target": "--help"},
    "a folder above the tree": {"working_directory": "../victim"},
    "a folder by a detour": {"working_directory": "a/../../victim"},
    "a folder with a NUL": {"working_directory": "/victim\0"},
    "text in place of an option": {"interpreter_flags": ["-c", "open('x', 'w')"]},
}


@pytest.mark.parametrize("name", ELSEWHERE)
def test_a_command_outside_the_tree_is_refused(
    numbers: Project, ask: Ask, tmp_path: Path, victim: Path, name: str
) -> None:
    project = numbers.copy(tmp_path / "project")
    (victim / "job.py").write_text("open('ran', 'w').close()\n")
    told = {
        f"execution.command.{field}": value.format(victim=victim)
        if isinstance(value, str)
        else value
        for field, value in ELSEWHERE[name].items()
    }
    with_manifest(project, told)
    before = fingerprint(tmp_path)

    words = ("rerun", project.run_folder, "--env", "here", "--yes", "--dir", tmp_path / "new")
    answer = ask(*words, cwd=tmp_path)

    assert answer.code == 4, answer.err
    assert "Traceback" not in answer.err
    assert fingerprint(tmp_path) == before


@pytest.mark.slow
def test_a_rerun_starts_in_no_folder_of_this_machine(
    ask: Ask, tmp_path: Path, victim: Path
) -> None:
    """Whatever folder a record names, and though it is here: what it writes is in the new one."""
    project = Project.made(tmp_path / "project", NUMBERS + "Path('thesis.txt').write_text('x')\n")
    assert project.record("train.py").returncode == 0
    with_manifest(project, {"execution.command.working_directory": str(victim)})

    words = ("rerun", project.run_folder, "--env", "here", "--yes", "--dir", tmp_path / "new")
    answer = ask(*words, cwd=tmp_path)

    assert answer.code == 0, answer.err
    assert (victim / "thesis.txt").read_text() == "years of work"
    assert [path.name for path in victim.iterdir()] == ["thesis.txt"]
    assert [path.read_text() for path in (tmp_path / "new").rglob("thesis.txt")] == ["x"]


@pytest.mark.parametrize("command", [*INSPECTING, ("rerun", "--yes")], ids=" ".join)
def test_parts_that_are_hard_links_to_somebodys_files_leave_them_alone(
    numbers: Project, ask: Ask, tmp_path: Path, victim: Path, command: tuple[str, ...]
) -> None:
    """A capsule's parts may be the same files as others on this disk: none is written to."""
    project = numbers.copy(tmp_path / "project")
    for part in sorted(project.capsule.folder.iterdir()):
        if part.is_file():
            (victim / part.name).hardlink_to(part)
    before = fingerprint(victim)

    words = ("--dir", tmp_path / "new") if "--yes" in command else ()
    answer = _asked(ask, (*command, *map(str, words)), project.run_folder, tmp_path)

    assert answer.code == (3 if command == ("verify",) else 0), answer.err
    assert fingerprint(victim) == before
    mine = {path.stat().st_ino for path in victim.iterdir()}
    new = tmp_path / "new"
    assert not any(path.lstat().st_ino in mine for path in new.rglob("*"))


@pytest.mark.parametrize("part", ["manifest.json", "trail.jsonl", "code.bundle"])
def test_a_part_that_is_a_pipe_is_not_waited_for(
    numbers: Project, ask: Ask, tmp_path: Path, part: str
) -> None:
    project = numbers.copy(tmp_path / "project")
    path = project.capsule.folder / part
    path.unlink()
    os.mkfifo(path)

    answer = _asked(ask, ("rerun", "--dry-run"), project.run_folder, tmp_path)

    assert answer.code in (2, 4), answer.err
