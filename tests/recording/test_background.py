"""Work in threads: waited for, done again in the foreground where it failed, importing nothing."""

from __future__ import annotations

import builtins
import json
import threading
from pathlib import Path
from typing import Any

import pytest

from tests.support.training import Young, finished, run_child
from wandb_repro import init
from wandb_repro.capture.unrecorded import is_unrecorded
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.manifest.packages import Packages
from wandb_repro.recording.background import Background


class Attempts:
    """Work that fails until it was tried so often, and notes the thread of each attempt."""

    def __init__(self, failures: int) -> None:
        self.threads: list[threading.Thread] = []
        self.hidden: list[bool] = []
        self._failures = failures

    def __call__(self) -> int:
        self.threads.append(threading.current_thread())
        self.hidden.append(is_unrecorded())
        if len(self.threads) <= self._failures:
            raise OSError("no disk")
        return len(self.threads)


def test_work_waits_for_what_comes_before_it() -> None:
    before, done = threading.Event(), threading.Event()
    work = Background(done.set, "work", after=before)

    assert str(work.result(0)) == "work: not done in time"
    assert not done.is_set()
    before.set()
    assert work.result(30) is None
    assert done.is_set()


def test_work_does_not_wait_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wandb_repro.recording.background._PATIENCE_S", 0.01)

    assert Background(lambda: 3, "work", after=threading.Event()).result(30) == 3


def test_work_that_fails_has_its_reason() -> None:
    reason = Background(Attempts(1), "work").result(30)

    assert isinstance(reason, Unavailable)
    assert str(reason) == "work: OSError: no disk"


def test_work_that_failed_in_its_thread_is_done_again_by_who_waits_for_it() -> None:
    attempts = Attempts(failures=1)

    assert Background(attempts, "work").settled(30) == 2
    assert attempts.threads[0] is not attempts.threads[1] is threading.current_thread()


def test_what_any_attempt_reads_is_no_input_of_the_script() -> None:
    attempts = Attempts(failures=1)
    Background(attempts, "work").settled(30)
    assert attempts.hidden == [True, True]
    assert not is_unrecorded()


def test_work_is_done_again_once_only() -> None:
    attempts = Attempts(failures=9)
    work = Background(attempts, "work")

    assert [str(work.settled(30)) for _ in range(3)] == ["work: OSError: no disk"] * 3
    assert len(attempts.threads) == 2


def test_work_that_succeeded_is_not_done_again() -> None:
    attempts = Attempts(failures=0)

    assert Background(attempts, "work").settled(30) == 1
    assert len(attempts.threads) == 1


def test_work_whose_result_lacks_something_is_done_again() -> None:
    work = Background(Attempts(0), "work", is_complete=lambda attempt: attempt == 2)

    assert work.settled(30) == 2


def test_work_that_failed_slowly_is_not_done_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("wandb_repro.recording.background._QUICK_S", 0.0)
    attempts = Attempts(failures=1)

    assert str(Background(attempts, "work").settled(30)) == "work: OSError: no disk"
    assert len(attempts.threads) == 1


def test_work_is_done_in_the_foreground_where_no_thread_can_be_started(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)

    assert Background(lambda: 3, "work").settled(0) == 3


def test_code_and_packages_are_recorded_where_our_threads_cannot_import(
    offline: Young, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As while ``tensorflow_datasets`` loads, whose ``etils`` replaces ``builtins.__import__``."""
    real = builtins.__import__

    def replaced(*arguments: Any, **options: Any) -> Any:
        if threading.current_thread().name.startswith("wandb_repro"):
            raise ValueError("Relative import statements not supported (util)")
        return real(*arguments, **options)

    monkeypatch.setattr(builtins, "__import__", replaced)
    execution = finished(init(project="p")).manifest.execution

    assert isinstance(execution.code, Code)
    assert isinstance(execution.code.bundle, BundleFile)
    assert isinstance(execution.packages, Packages)


_WATCHED = """
import builtins, json, subprocess, sys, threading
import wandb, wandb_repro

subprocess.run(["git", "init", "-q"], check=True)  # GitPython is for repositories only

found = []
real = builtins.__import__

def is_ours():
    return threading.current_thread().name.startswith("wandb_repro")

def watched(name, globals=None, *rest, **more):
    if is_ours() and str((globals or {}).get("__name__")).startswith("wandb_repro"):
        found.append(f"{globals['__name__']} imports {name}")
    return real(name, globals, *rest, **more)

def audit(event, arguments):
    if event == "import" and is_ours():
        found.append(f"{arguments[0]} is loaded")

builtins.__import__ = watched
sys.addaudithook(audit)
ran = set()
start = threading.Thread.start
def started(thread):
    ran.add(thread.name)
    start(thread)
threading.Thread.start = started
wandb_repro.init(project="p").finish()
print(json.dumps([found, sorted(name for name in ran if name.startswith("wandb_repro"))]))
"""


def test_no_thread_of_ours_imports_anything(tmp_path: Path) -> None:
    ended = run_child(tmp_path, _WATCHED)

    assert ended.returncode == 0, ended.err
    imported, threads = json.loads(ended.out.splitlines()[-1])
    assert imported == []
    assert {"wandb_repro source tree", "wandb_repro packages"} <= set(threads)
