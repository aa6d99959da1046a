"""The training of a rerun is started, waited for and ended."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest

from tests.support.processes import wait_until_gone
from tests.support.rerun_plans import simple_plan
from wandb_repro.errors import RefusedError
from wandb_repro.manifest.request import RerunRequest, Whereabouts
from wandb_repro.rerun import execute
from wandb_repro.rerun.execute import train
from wandb_repro.rerun.plan import Plan

PYTHON = Path("/env/bin/python")
ORDER_FILE = Path("/rerun/order.json")


REPORT = """
import json, os, pathlib, sys
pathlib.Path("told.json").write_text(json.dumps({
    "argv": sys.argv, "cwd": os.getcwd(), "session": os.getsid(0) == os.getppid(),
    "stdin": sys.stdin.read(), "order": json.load(open(os.environ["WANDB_REPRO_ORDER"])),
}))
print("to standard output")
"""


def _child(work: Path, script: str, changes: Mapping[str, object] | None = None) -> Plan:
    plan = simple_plan(work, changes)
    plan.code.mkdir(parents=True)
    (plan.code / "train.py").write_text(script)
    return plan


def _request(work: Path) -> RerunRequest:
    return RerunRequest(
        capsule="/capsule",
        original="ada/digits/1",
        code_root=str(work / "tree" / "digits"),
        whereabouts=str(work / "whereabouts.json"),
        keep_going=False,
        until_epoch=2,
        until_step=None,
        allow_outputs=False,
    )


def _trained(plan: Plan) -> execute.Child:
    return train(plan, Path(sys.executable), _request(plan.work), rebuilt=False)


def test_the_script_is_started_in_its_folder_with_its_request(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    words = {"execution.command.arguments": ["$(touch x)", "; touch y"]}
    plan = _child(tmp_path, REPORT, words)
    assert _trained(plan) == execute.Child(0, None)
    told = json.loads((plan.code / "told.json").read_text())
    assert told == {
        "argv": ["train.py", "$(touch x)", "; touch y"],
        "cwd": str(plan.code),
        "session": True,
        "stdin": "",
        "order": _request(tmp_path).model_dump(mode="json", exclude_defaults=True),
    }
    assert sorted(path.name for path in plan.code.iterdir()) == ["told.json", "train.py"]
    printed = capfd.readouterr()
    assert printed.out == ""
    assert "to standard output" in printed.err


def test_a_script_that_recorded_says_where(tmp_path: Path) -> None:
    told = Whereabouts(capsule="/there/repro", run="digits/2", url="")
    script = f"open({str(tmp_path / 'whereabouts.json')!r}, 'w').write({told.model_dump_json()!r})"
    assert _trained(_child(tmp_path, script)).whereabouts == told


@pytest.mark.parametrize("document", ["", "{", '{"capsule": 1}', '{"capsule": "/x", "more": ""}'])
def test_a_whereabouts_that_cannot_be_read_is_none(tmp_path: Path, document: str) -> None:
    script = f"open({str(tmp_path / 'whereabouts.json')!r}, 'w').write({document!r})"
    assert _trained(_child(tmp_path, script)).whereabouts is None


@pytest.mark.parametrize(
    ("script", "code"),
    [
        ("raise SystemExit(7)", 7),
        ("raise ValueError('x')", 1),
        ("import os; os.kill(os.getpid(), 9)", -9),
    ],
)
def test_its_exit_code_is_told_as_it_was(tmp_path: Path, script: str, code: int) -> None:
    assert _trained(_child(tmp_path, script)).returncode == code


def test_an_interpreter_that_cannot_start_is_refused_in_words(tmp_path: Path) -> None:
    plan = _child(tmp_path, "")
    with pytest.raises(RefusedError, match="cannot be started"):
        train(plan, tmp_path / "no-python", _request(tmp_path), rebuilt=False)


def _interrupt_when(there: Callable[[], bool], *delays_s: float) -> threading.Thread:
    """Send this process a Ctrl-C as soon as something is there, and more of them later."""

    def wait() -> None:
        deadline = time.monotonic() + 20
        while not there() and time.monotonic() < deadline:
            time.sleep(0.02)
        for delay_s in (0, *delays_s):
            time.sleep(delay_s)
            os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


WAITING = """
import pathlib, subprocess, sys, time
worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
pathlib.Path("worker").write_text(str(worker.pid))
try:
    time.sleep(60)
except KeyboardInterrupt:
    pathlib.Path("closed").touch()
    raise
"""


def test_a_ctrl_c_reaches_the_training_and_all_it_started(tmp_path: Path) -> None:
    plan = _child(tmp_path, WAITING)
    worker = plan.code / "worker"
    thread = _interrupt_when(lambda: worker.is_file() and worker.read_text() != "")
    with pytest.raises(KeyboardInterrupt):
        _trained(plan)
    thread.join()
    assert (plan.code / "closed").exists()
    wait_until_gone(int(worker.read_text()))


STUBBORN = """
import os, pathlib, signal, time
signal.signal(signal.SIGINT, signal.SIG_IGN)
pathlib.Path("worker").write_text(str(os.getpid()))
time.sleep(60)
"""


def test_a_training_that_does_not_end_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(execute, "_GRACE_S", 0.3)
    plan = _child(tmp_path, STUBBORN)
    worker = plan.code / "worker"
    thread = _interrupt_when(lambda: worker.is_file() and worker.read_text() != "")
    with pytest.raises(KeyboardInterrupt):
        _trained(plan)
    thread.join()
    wait_until_gone(int(worker.read_text()))


def test_a_second_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    plan = _child(tmp_path, STUBBORN)
    worker = plan.code / "worker"
    began = time.monotonic()
    thread = _interrupt_when(lambda: worker.is_file() and worker.read_text() != "", 0.5)
    with pytest.raises(KeyboardInterrupt):
        _trained(plan)
    thread.join()
    wait_until_gone(int(worker.read_text()))
    assert time.monotonic() - began < execute._GRACE_S  # pyright: ignore[reportPrivateUsage]


def test_an_installed_command_is_started_from_its_environment(tmp_path: Path) -> None:
    folder = tmp_path / "env" / "bin"
    folder.mkdir(parents=True)
    (folder / "trainer").write_text("raise SystemExit(8)")
    (folder / "python").symlink_to(sys.executable)
    console = {"execution.command.kind": "console", "execution.command.target": "trainer"}
    plan = _child(tmp_path / "work", "", console)
    child = train(plan, folder / "python", _request(plan.work), rebuilt=True)
    assert child.returncode == 8


def test_a_credential_reaches_the_script_and_no_file(tmp_path: Path) -> None:
    plan = replace(
        _child(tmp_path, "import sys; raise SystemExit(sys.argv[1] != 'k1')"),
        arguments=("train.py", "<redacted>"),
        credentials={1: "k1"},
    )
    assert _trained(plan).returncode == 0
    found = subprocess.run(["grep", "-r", "k1", "--", plan.work / "order.json"], check=False)
    assert found.returncode == 1
