"""What a rerun holds back of its run, of the module and of artifacts.

With a W&B of our own; what the real one does is in ``tests/online/test_no_publish.py``.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from wandb_repro.child.no_publish import hold_back
from wandb_repro.recording.messages import forget
from wandb_repro.recording.process_state import process


class Artifact:
    """What we need of ``wandb.Artifact``."""

    def __init__(self, name: str, type: str) -> None:  # noqa: A002 - W&B's own name
        self.name, self.type, self.draft = name, type, True

    def is_draft(self) -> bool:
        return self.draft

    def link(self, target: str) -> None:
        raise AssertionError(f"published {target}")

    def promote(self, target: str) -> None:
        raise AssertionError(f"published {target}")

    def add_file(self, path: str) -> str:
        return path


class Run:
    """A run of a W&B that has a method which no version of today has."""

    id, entity, project = "r1", "ada", "digits"

    def log(self, row: dict[str, float]) -> dict[str, float]:
        return row

    def alert(self, title: str, text: str) -> None:
        raise AssertionError(f"published {title} {text}")

    def log_artifact(self, path: str, name: str | None = None, type: str = "data") -> object:  # noqa: A002
        raise AssertionError(f"published {path} {name} {type}")

    def use_artifact(self, artifact: object) -> object:
        return f"used {artifact}"

    def broadcast(self, text: str) -> None:
        raise AssertionError(f"published {text}")


def _publish(what: str) -> None:
    raise AssertionError(f"published {what}")


@pytest.fixture
def begun(monkeypatch: pytest.MonkeyPatch) -> Generator[tuple[Any, Any]]:
    """Give a run and its module, held back."""
    package = ModuleType("fake_wandb.apis")
    package.__path__ = []
    monkeypatch.setitem(sys.modules, "fake_wandb.apis", package)
    run = Run()
    module: Any = ModuleType("fake_wandb")
    module.Artifact = type("Artifact", (Artifact,), {})
    module.Api = SimpleNamespace(__module__="fake_wandb.apis.api")
    module.run, module.alert, module.log = run, run.alert, run.log
    module.init, module.sweep, module.broadcast_all = print, _publish, _publish
    forget()
    hold_back(run, module)
    yield run, module
    forget()


def test_what_logs_to_the_reruns_own_run_works(begun: tuple[Any, Any]) -> None:
    run, module = begun
    assert run.log({"loss": 1.0}) == module.log({"loss": 1.0}) == {"loss": 1.0}
    assert module.init is print


def test_an_alert_is_held_back_on_the_run_and_on_the_module(
    begun: tuple[Any, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run, module = begun
    assert run.alert("done", text="now") is None
    assert module.alert("done", text="now") is None
    assert capsys.readouterr().err == (
        "wandb_repro: run.alert is held back in a rerun; "
        "rerun with --allow-outputs to publish again\n"
    )


def test_a_method_that_w_and_b_adds_is_held_back_and_says_so(
    begun: tuple[Any, Any], capsys: pytest.CaptureFixture[str]
) -> None:
    run, module = begun
    assert run.broadcast("weights") is None
    assert module.broadcast_all("weights") is None
    assert module.Artifact("a", "b").promote("best") is None
    said = capsys.readouterr().err
    for call in ("run.broadcast", "wandb.broadcast_all", "artifact.promote"):
        assert f"{call} is held back in a rerun" in said


def test_a_wrong_call_fails_as_in_the_original(begun: tuple[Any, Any]) -> None:
    with pytest.raises(TypeError):
        begun[0].alert("a title without a text")


def test_a_logged_file_comes_back_as_an_artifact_named_as_w_and_b_names_it(
    begun: tuple[Any, Any],
) -> None:
    run, module = begun
    logged = run.log_artifact("folder/data set.txt")
    assert isinstance(logged, module.Artifact)
    assert logged.name == "run-r1-data_set.txt:v0"
    assert run.log_artifact("a.txt", name="mine").name == "mine:v0"


def test_a_draft_that_is_used_is_not_logged(begun: tuple[Any, Any]) -> None:
    run, module = begun
    draft = module.Artifact("numbers", "dataset")
    assert run.use_artifact(draft) is draft
    assert draft.version == "v0"
    assert run.use_artifact("theirs:latest") == "used theirs:latest"


def test_an_artifact_is_linked_nowhere(begun: tuple[Any, Any]) -> None:
    artifact = begun[1].Artifact("numbers", "dataset")
    assert artifact.link("registry/best") is artifact
    assert artifact.qualified_name == "ada/digits/numbers:v0"
    assert artifact.add_file("x") == "x"


def test_a_sweep_is_not_created(begun: tuple[Any, Any]) -> None:
    assert begun[1].sweep({"method": "grid"}) == "rerun"


REAL = """
import wandb
wandb.Run.broadcast = lambda self, text: 1 / 0
wandb.Artifact.promote = lambda self, target: 1 / 0
wandb.broadcast_all = lambda text: 1 / 0
run = wandb.init(project="p", config={"lr": 1})

from wandb_repro.child.no_publish import hold_back
hold_back(run, wandb)

assert run.broadcast("x") is wandb.broadcast_all("x") is None
assert wandb.Artifact("a", "b").promote("best") is None
assert run.log_artifact(wandb.Artifact("a", "b")).wait().version == "v0"
assert wandb.controller("sweep") is None
run.log({"loss": 1.0})
wandb.log({"loss": 2.0})
run.define_metric("loss", summary="min")
run.config.update({"more": 2})
run.summary["best"] = 3
assert run.config["lr"] == 1 and run.summary["best"] == 3 and run.step == 2
run.save(__import__("os").environ["KEPT"], policy="now")
run.finish()
print("finished")
"""


def test_the_run_of_this_w_and_b_logs_and_a_new_method_is_held_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text("1")
    monkeypatch.setenv("KEPT", str(kept))
    monkeypatch.setenv("WANDB_MODE", "offline")
    monkeypatch.setenv("WANDB_SILENT", "true")
    done = subprocess.run(
        [sys.executable, "-c", REAL],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "finished\n"
    for call in ("run.broadcast", "wandb.broadcast_all", "artifact.promote", "wandb.controller"):
        assert f"{call} is held back in a rerun" in done.stderr


def test_an_artifact_that_publishes_itself_is_noted_as_an_output(
    begun: tuple[Any, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    run, module = begun
    noted: list[object] = []

    def note(artifact: object, *, only_new: bool) -> None:
        assert only_new
        noted.append(artifact)

    recorder: Any = SimpleNamespace(artifact_logged=note)
    monkeypatch.setitem(process.outputs, run.id, recorder)
    artifact = module.Artifact("numbers", "dataset")
    artifact.link("registry/best")
    artifact.link("registry/other")
    assert noted == [artifact]
