from __future__ import annotations

import threading
from types import ModuleType, SimpleNamespace
from typing import Any, NoReturn

import pytest

from wandb_repro.child import wandb_patch
from wandb_repro.child.wandb_patch import prepare, stand_ready
from wandb_repro.recording import mode, rerun_process
from wandb_repro.recording.live_compare import RerunStopped
from wandb_repro.recording.process_state import process


class Rerun:
    """A rerun's process, and what was done in it."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.mode: Any = SimpleNamespace(publishes=False)
        self.held: list[object] = []
        self.done: list[str] = []
        monkeypatch.setattr(mode, "current_mode", lambda: self.mode)
        monkeypatch.setattr(rerun_process, "as_rerun", self._as_rerun)
        monkeypatch.setattr(rerun_process, "restore_early", self._restore)
        monkeypatch.setattr(rerun_process, "skip_earlier", lambda: self.done.append("skipped"))
        monkeypatch.setattr(wandb_patch, "hold_back", self._hold_back)

    def _as_rerun(self, options: dict[str, Any]) -> dict[str, Any]:
        return {**options, "job_type": "rerun"}

    def _restore(self, run: object) -> None:
        self.done.append(f"config of {run}")

    def _hold_back(self, run: object, _: object) -> None:
        self.held.append(run)

    def wandb(self, run: object = None) -> Any:
        """Return a small W&B, patched."""
        module: Any = ModuleType("wandb")
        module.run = run
        module.init = "{project} as {job_type}".format
        module.attach = "handle of {}".format
        module.agent = module.sweep = print
        module.finish = lambda: self.done.append("finished")
        prepare(module)
        return module


@pytest.fixture
def rerun(monkeypatch: pytest.MonkeyPatch) -> Rerun:
    return Rerun(monkeypatch)


def test_a_new_run_is_a_rerun_that_publishes_nothing(rerun: Rerun) -> None:
    assert rerun.wandb().init(project="digits") == "digits as rerun"
    assert rerun.held == ["digits as rerun"]
    assert rerun.done == ["config of digits as rerun"]


def test_a_run_that_began_before_us_is_held_back_too(rerun: Rerun) -> None:
    rerun.wandb(run="begun")
    assert rerun.held == ["begun"]


def test_a_second_handle_of_the_run_is_held_back_too(rerun: Rerun) -> None:
    assert rerun.wandb().attach("r1") == "handle of r1"
    assert rerun.held == ["handle of r1"]


def test_nothing_is_held_back_where_outputs_are_allowed(rerun: Rerun) -> None:
    rerun.mode = SimpleNamespace(publishes=True)
    rerun.wandb().init(project="digits")
    assert rerun.held == []


def test_a_w_and_b_that_is_not_as_expected_ends_the_rerun(
    rerun: Rerun, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def renamed(_: object, __: object) -> NoReturn:
        raise AttributeError("Artifact")

    monkeypatch.setattr(wandb_patch, "hold_back", renamed)
    module = rerun.wandb()
    with pytest.raises(SystemExit) as ended:
        module.init(project="digits")
    assert ended.value.code == 4
    assert "cannot be kept from publishing (AttributeError: Artifact)" in capsys.readouterr().err


def test_a_w_and_b_without_init_ends_the_rerun(rerun: Rerun) -> None:
    del rerun
    with pytest.raises(SystemExit) as ended:
        prepare(ModuleType("wandb"))
    assert ended.value.code == 4


def test_an_agent_calls_the_function_once_in_a_thread_and_ends(rerun: Rerun) -> None:
    threads: list[str] = []
    with pytest.raises(RerunStopped) as ended:
        rerun.wandb().agent(
            "sweep", function=lambda: threads.append(threading.current_thread().name)
        )
    assert ended.value.code == 0
    assert threads == ["sweep"]
    assert rerun.done == ["skipped", "finished"]


def test_what_an_agents_function_raises_is_raised_to_the_script(rerun: Rerun) -> None:
    with pytest.raises(ZeroDivisionError):
        rerun.wandb().agent("sweep", lambda: 1 / 0)
    assert rerun.done == ["skipped"]


def test_an_agent_without_a_function_starts_nothing(
    rerun: Rerun, capsys: pytest.CaptureFixture[str]
) -> None:
    assert rerun.wandb().agent("sweep") is None
    assert "a rerun starts none of them" in capsys.readouterr().err
    assert rerun.done == []


def test_no_sweep_is_created(rerun: Rerun) -> None:
    assert rerun.wandb().sweep({"method": "grid"}, project="digits") == "rerun"


def test_w_and_b_is_patched_once(monkeypatch: pytest.MonkeyPatch) -> None:
    awaited: list[object] = []

    def note(name: str, action: object) -> None:
        awaited.append((name, action))

    monkeypatch.setattr(process, "awaits_wandb", False)
    monkeypatch.setattr(wandb_patch, "after_import", note)
    stand_ready()
    stand_ready()
    assert awaited == [("wandb", prepare)]
