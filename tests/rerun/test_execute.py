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

from tests.support.records import absent, changed, full_manifest
from wandb_repro.errors import RefusedError
from wandb_repro.manifest.request import REQUEST_VARIABLE, RerunRequest, Whereabouts
from wandb_repro.rerun import execute
from wandb_repro.rerun.execute import child_environment, place_inputs, train
from wandb_repro.rerun.found_inputs import FoundInputs
from wandb_repro.rerun.plan import Plan, make_plan
from wandb_repro.rerun.planned_inputs import Link

PYTHON = Path("/env/bin/python")
ORDER_FILE = Path("/rerun/order.json")


def _plan(work: Path, changes: Mapping[str, object] | None = None) -> Plan:
    simple = {
        "execution.command.arguments": (),
        "execution.command.redacted": (),
        "execution.command.launcher": False,
        "description.inputs": (),
    }
    return make_plan(changed(full_manifest(), {**simple, **(changes or {})}), work, FoundInputs())


def _environment(
    mine: Mapping[str, str], *, rebuilt: bool = True, changes: Mapping[str, object] | None = None
) -> dict[str, str]:
    plan = _plan(Path("/rerun"), changes)
    return child_environment(plan, PYTHON, ORDER_FILE, mine, rebuilt=rebuilt)


def test_the_child_gets_the_recorded_switches_and_none_of_todays() -> None:
    today = {"TF_ENABLE_ONEDNN_OPTS": "0", "OMP_NUM_THREADS": "1", "TF_NUM_INTRAOP_THREADS": "9"}
    child = _environment(today)
    assert child["TF_NUM_INTRAOP_THREADS"] == "2"
    assert child["PYTHONHASHSEED"] == "0"
    assert "TF_ENABLE_ONEDNN_OPTS" not in child
    assert "OMP_NUM_THREADS" not in child


@pytest.mark.parametrize(
    "name",
    [
        *("WANDB_SERVICE", "_WANDB_SERVICE", "WANDB_RUN_ID", "WANDB_RESUME", "WANDB_NAME"),
        *("WANDB_RESUME_FROM", "WANDB_FORK_FROM", "WANDB_SWEEP_ID", "WANDB_SWEEP_PARAM_PATH"),
        *("WANDB_DISABLED", "WANDB_DISABLE_CODE", "WANDB_DISABLE_GIT", "WANDB_REPRO_OPTIONS"),
        *("PYTHONHOME", "PYTHONSTARTUP", "PYTHONSAFEPATH", "PYTHONOPTIMIZE", "PYTHONWARNINGS"),
        *("PYTHONINSPECT", "VIRTUAL_ENV", "CONDA_PREFIX"),
    ],
)
def test_what_is_about_another_run_or_environment_is_dropped(name: str) -> None:
    assert name not in _environment({name: "1"})


def test_what_the_machine_needs_is_kept() -> None:
    needed = {"HOME": "/home/eve", "LANG": "C.UTF-8", "HTTPS_PROXY": "p", "WANDB_API_KEY": "k"}
    needed |= {"WANDB_BASE_URL": "u", "WANDB_ENTITY": "eve", "PYTHONUNBUFFERED": "1"}
    child = _environment(needed)
    assert {name: child[name] for name in needed} == needed


def test_a_new_environment_may_keep_what_it_compiles() -> None:
    today = {"PYTHONDONTWRITEBYTECODE": "1"}
    assert "PYTHONDONTWRITEBYTECODE" not in _environment(today)
    assert _environment(today, rebuilt=False)["PYTHONDONTWRITEBYTECODE"] == "1"


def test_its_commands_come_from_its_environment_first() -> None:
    assert _environment({"PATH": "/usr/bin:/bin"})["PATH"] == "/env/bin:/usr/bin:/bin"
    assert _environment({})["PATH"] == f"/env/bin:{os.defpath}"


def test_it_is_told_where_to_write_and_what_to_repeat() -> None:
    child = _environment(
        {"WANDB_DIR": "/elsewhere", REQUEST_VARIABLE: "/other", "WANDB_JOB_TYPE": ""}
    )
    assert child["WANDB_DIR"] == "/rerun"
    assert child[REQUEST_VARIABLE] == str(ORDER_FILE)
    assert child["WANDB_JOB_TYPE"] == "rerun"


def test_it_goes_into_the_originals_project_unless_told_otherwise() -> None:
    assert _environment({})["WANDB_PROJECT"] == "digits"
    assert _environment({"WANDB_PROJECT": "mine"})["WANDB_PROJECT"] == "mine"
    assert "WANDB_PROJECT" not in _environment({}, changes={"run.project": absent("none")})


@pytest.mark.parametrize(
    ("mine", "offline", "mode"),
    [
        ({}, True, "offline"),
        ({}, False, None),
        ({"WANDB_MODE": "online"}, True, "online"),
        ({"WANDB_MODE": "offline"}, False, "offline"),
        ({"WANDB_MODE": "disabled"}, False, "offline"),
        ({"WANDB_DISABLED": "true"}, False, "offline"),
    ],
)
def test_an_offline_run_is_rerun_offline_and_no_rerun_is_disabled(
    mine: dict[str, str], offline: bool, mode: str | None
) -> None:
    assert _environment(mine, changes={"run.offline": offline}).get("WANDB_MODE") == mode


@pytest.mark.parametrize(
    ("rebuilt", "folders", "expected"),
    [
        (True, "/home/ada/digits/src:lib:/opt/others", "/rerun/tree/digits/src:lib"),
        (False, "/home/ada/digits/src:lib:/opt/others", "/rerun/tree/digits/src:lib:/opt/others"),
        (True, "/opt/others", None),
        (True, "", None),
    ],
)
def test_modules_are_never_found_in_the_originals_tree(
    rebuilt: bool, folders: str, expected: str | None
) -> None:
    child = _environment({"PYTHONPATH": folders}, rebuilt=rebuilt)
    assert child.get("PYTHONPATH") == expected


@pytest.mark.parametrize(
    ("rebuilt", "expected"),
    [
        (True, "/rerun/tree/digits/src:/rerun/tree/lib"),
        (False, "/rerun/tree/digits/src:/rerun/tree/lib:/opt/packages:/opt/others"),
    ],
)
def test_of_a_path_that_was_the_originals_too_only_what_is_restored_is_left_out(
    rebuilt: bool, expected: str
) -> None:
    """Its tree is; folders of packages that a cluster's modules name are not."""
    recorded = ["/home/ada/digits/src", "/home/ada/lib", "/opt/packages"]
    module = {"path": "lib/a.py", "size_bytes": 1, "digest": f"sha256:{'a' * 64}"}
    child = _environment(
        {"PYTHONPATH": ":".join([*recorded, "/opt/others"])},
        rebuilt=rebuilt,
        changes={
            "execution.command.python_path": recorded,
            "execution.code.added.top": "/home/ada",
            "execution.code.added.files": [module],
        },
    )
    assert child["PYTHONPATH"] == expected


def test_inputs_are_copied_so_that_the_script_cannot_write_to_the_originals(tmp_path: Path) -> None:
    original = tmp_path / "data.csv"
    original.write_text("1,2")
    code = tmp_path / "tree" / "code"
    code.mkdir(parents=True)
    place_inputs(code, (Link("../data.csv", str(original)),), within=tmp_path / "tree")
    placed = tmp_path / "tree" / "data.csv"
    placed.write_text("overwritten")
    assert original.read_text() == "1,2"


def test_inputs_larger_than_the_budget_are_linked(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(b"12345678")
    code = tmp_path / "tree" / "code"
    links = tuple(Link(f"in/{name}", str(tmp_path / name)) for name in ("a", "b", "c"))
    place_inputs(code, links, within=tmp_path / "tree", copied_bytes=17)
    assert [(code / link.place).is_symlink() for link in links] == [False, False, True]
    assert (code / "in" / "c").read_bytes() == b"12345678"


def test_a_file_of_the_tree_is_never_replaced_by_an_input(tmp_path: Path) -> None:
    (tmp_path / "x").write_text("input")
    code = tmp_path / "tree" / "code"
    code.mkdir(parents=True)
    (code / "x").write_text("code")
    place_inputs(code, (Link("x", str(tmp_path / "x")),), within=tmp_path / "tree")
    assert (code / "x").read_text() == "code"


def test_an_input_is_not_put_through_a_link_that_leads_out(tmp_path: Path) -> None:
    """A record may name a folder as an input, and then a file in it."""
    home = tmp_path / "home"
    home.mkdir()
    (tmp_path / "evil").touch()
    links = (Link("d", str(home)), Link("d/.bashrc", str(tmp_path / "evil")))
    with pytest.raises(RefusedError, match="outside the new folder"):
        place_inputs(tmp_path / "tree" / "code", links, within=tmp_path / "tree")
    assert list(home.iterdir()) == []


def test_an_input_that_a_file_is_in_the_way_of_is_refused_in_words(tmp_path: Path) -> None:
    (tmp_path / "x").touch()
    code = tmp_path / "tree" / "code"
    code.mkdir(parents=True)
    (code / "data").touch()
    with pytest.raises(RefusedError, match="cannot be put at"):
        place_inputs(code, (Link("data/sub/x", str(tmp_path / "x")),), within=tmp_path / "tree")


REPORT = """
import json, os, pathlib, sys
pathlib.Path("told.json").write_text(json.dumps({
    "argv": sys.argv, "cwd": os.getcwd(), "session": os.getsid(0) == os.getpid(),
    "stdin": sys.stdin.read(), "order": json.load(open(os.environ["WANDB_REPRO_ORDER"])),
}))
print("to standard output")
"""


def _child(work: Path, script: str, changes: Mapping[str, object] | None = None) -> Plan:
    plan = _plan(work, changes)
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


def _ended(number: int) -> bool:
    """Tell whether a process is gone, reaped by whoever started it or not."""
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


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
    deadline = time.monotonic() + 5
    while not _ended(int(worker.read_text())) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert _ended(int(worker.read_text()))


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
    assert _ended(int(worker.read_text()))


def test_a_second_ctrl_c_ends_it_at_once(tmp_path: Path) -> None:
    plan = _child(tmp_path, STUBBORN)
    worker = plan.code / "worker"
    began = time.monotonic()
    thread = _interrupt_when(lambda: worker.is_file() and worker.read_text() != "", 0.5)
    with pytest.raises(KeyboardInterrupt):
        _trained(plan)
    thread.join()
    assert _ended(int(worker.read_text()))
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
