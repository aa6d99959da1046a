"""Training is noted in each kind of process that a recorded one starts, and in no other."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from wandb_repro.manifest.request import CHILDREN_VARIABLE, own_search_path
from wandb_repro.recording.children import handover as module
from wandb_repro.recording.children.handover import (
    STARTUP_FOLDER,
    child_seed,
    given_file,
    hand_over,
    is_child,
    withdraw,
)
from wandb_repro.recording.process_state import process

SCRIPT = '''
"""Starts processes; some train, by a library that the test wrote."""
import multiprocessing
import os
import subprocess
import sys
import time


def train():
    import optax
    optax.apply_updates(1, 2)


def imports_only():
    import optax
    return optax


if __name__ == "__main__":
    from wandb_repro.recording.children.child_lines import lines_in
    from wandb_repro.recording.children.handover import hand_over
    from wandb_repro.recording.process_state import process
    if "early" in sys.argv:
        import optax
    hand_over()
    for kind in ("fork", "spawn", "forkserver"):
        context = multiprocessing.get_context(kind)
        for target in (train, imports_only):
            started = context.Process(target=target, name=f"{kind} {target.__name__}")
            started.start()
            started.join()
    if not os.fork():
        train()
        os._exit(0)
    os.wait()
    subprocess.run([sys.executable, "other.py"], check=True)
    subprocess.run(f"{sys.executable} -c 'import optax; optax.apply_updates(1, 2)'", shell=True)
    train()  # this process is recorded: it says nothing
    names = [line["name"] for line in lines_in(process.children_file) if "trained" in line]
    print(sorted(names))
    print(os.path.dirname(process.children_file))
'''


@pytest.fixture(autouse=True)
def as_before() -> Iterator[None]:
    yield
    withdraw()
    process.children_file = process.parent_file = ""


@pytest.mark.parametrize("when", ["early", "late"])
def test_each_child_that_trains_is_noted_and_no_other(tmp_path: Path, when: str) -> None:
    (tmp_path / "train.py").write_text(SCRIPT)
    (tmp_path / "other.py").write_text("import optax; optax.apply_updates(1, 2)\n")
    (tmp_path / "optax.py").write_text("def apply_updates(one, two):\n    return one + two\n")
    ended = subprocess.run(
        [sys.executable, "train.py", when],
        cwd=tmp_path,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.stderr == ""
    names, folder = ended.stdout.splitlines()
    assert names == str(
        ["fork train", "forkserver train", "other.py", "python -c", "spawn train", "train.py"]
    )
    assert not Path(folder).exists()  # removed at the end


def test_the_environment_of_children_names_the_file_once_and_is_given_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["/mine", "/other"]))
    hand_over()
    first = process.children_file
    hand_over()

    assert process.children_file == first
    entries = os.environ["PYTHONPATH"].split(os.pathsep)
    assert entries == [STARTUP_FOLDER, "/mine", "/other"]
    assert own_search_path(os.environ["PYTHONPATH"]) == ["/mine", "/other"]
    assert (given_file(os.environ), is_child()) == ("", False)  # it is for others
    withdraw()
    assert os.environ["PYTHONPATH"] == os.pathsep.join(["/mine", "/other"])
    assert CHILDREN_VARIABLE not in os.environ


def test_without_a_search_path_there_is_none_afterwards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONPATH", raising=False)
    hand_over()
    assert os.environ["PYTHONPATH"] == STARTUP_FOLDER
    withdraw()
    assert "PYTHONPATH" not in os.environ


def test_the_startup_folder_holds_what_python_imports_first() -> None:
    assert Path(STARTUP_FOLDER, "sitecustomize.py").is_file()


def test_a_child_keeps_its_parents_file_when_it_has_children_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv(CHILDREN_VARIABLE, json.dumps({"pid": 1, "file": "/its/parent"}))
    assert is_child()
    hand_over()
    assert process.parent_file == "/its/parent"
    assert is_child()
    assert given_file(os.environ) == ""


@pytest.mark.parametrize("text", ["", "nonsense", "[]", '"text"', "null", "{}"])
def test_what_is_not_from_us_makes_no_child(text: str) -> None:
    assert given_file({CHILDREN_VARIABLE: text}) == ""


def test_a_workers_seed_depends_on_its_parents_and_its_name_and_on_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def seed(name: str, of_parent: int | None) -> int | None:
        given = {"pid": 1, "file": "/its/parent", "seed": of_parent}
        monkeypatch.setenv(CHILDREN_VARIABLE, json.dumps(given))
        monkeypatch.setattr(module, "worker_name", lambda: name)
        return child_seed()

    one = seed("SpawnProcess-1", 7)
    assert one is not None
    assert 0 <= one < 2**31
    assert seed("SpawnProcess-1", 7) == one
    assert len({one, seed("SpawnProcess-2", 7), seed("SpawnProcess-1", 8)}) == 3
    assert seed("", 7) is None
    assert seed("SpawnProcess-1", None) is None
