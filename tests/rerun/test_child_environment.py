"""The environment variables of a rerun's training."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.records import absent
from tests.support.rerun_plans import simple_plan
from wandb_repro.manifest.request import CHILDREN_VARIABLE, REQUEST_VARIABLE
from wandb_repro.recording.children.handover import STARTUP_FOLDER
from wandb_repro.rerun.child_environment import child_environment

PYTHON = Path("/env/bin/python")
ORDER_FILE = Path("/rerun/order.json")


def _environment(
    mine: Mapping[str, str], *, rebuilt: bool = True, changes: Mapping[str, object] | None = None
) -> dict[str, str]:
    plan = simple_plan(Path("/rerun"), changes)
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


def test_nothing_of_a_recorded_parent_reaches_the_training() -> None:
    child = _environment(
        {"PYTHONPATH": f"{STARTUP_FOLDER}:/mine", CHILDREN_VARIABLE: "{}"}, rebuilt=False
    )
    assert child["PYTHONPATH"] == "/mine"
    assert CHILDREN_VARIABLE not in child
