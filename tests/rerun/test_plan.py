"""What a rerun is going to do, made of the record and of what is on disk."""

from __future__ import annotations

import builtins
import os
from pathlib import Path
from typing import Any

import pytest

from tests.support.records import absent, changed, full_manifest
from wandb_repro.errors import RefusedError, UsageError
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.rerun.found_inputs import FoundInputs, find_inputs
from wandb_repro.rerun.parts import parts_of
from wandb_repro.rerun.path_map import moved
from wandb_repro.rerun.plan import Plan, make_plan
from wandb_repro.rerun.planned_inputs import Link

WORK = Path("/rerun folder/rerun-1")
PYTHON = Path("/env/bin/python")
COMMAND = "execution.command"
BASE: dict[str, Any] = {
    f"{COMMAND}.arguments": (),
    f"{COMMAND}.redacted": (),
    f"{COMMAND}.interpreter_flags": (),
    f"{COMMAND}.launcher": False,
    "description.inputs": (),
    "execution.code.added": absent("nothing was used beside the tree"),
}


def _manifest(**changes: object) -> Manifest:
    """Return a run of ``python train.py``; ``__`` in a name stands for a point."""
    told = {name.replace("__", "."): value for name, value in changes.items()}
    return changed(full_manifest(), {**BASE, **told})


def _plan(work: Path = WORK, how: dict[str, Any] | None = None, **changes: object) -> Plan:
    manifest = _manifest(**changes)
    found = find_inputs(manifest, parts_of(manifest).code, {})
    return make_plan(manifest, work, found, **(how or {}))


def _started(**changes: Any) -> list[str]:
    return _plan(**changes).started_with(PYTHON)[1:]


def _input(absolute: Path | str, path: str = "") -> dict[str, object]:
    return {"path": path or str(absolute), "absolute": str(absolute), "size_bytes": 0}


def test_a_script_is_started_as_its_folder_sees_it() -> None:
    assert _started() == ["train.py"]
    deeper: dict[str, Any] = {"execution__command__target": "jobs/train.py"}
    assert _started(**deeper) == ["jobs/train.py"]
    assert _started(**deeper, execution__command__working_directory="jobs") == ["train.py"]
    assert _started(execution__command__working_directory="jobs") == ["../train.py"]


def test_the_working_folder_is_the_same_one_below_the_restored_tree() -> None:
    plan = _plan(execution__command__working_directory="jobs/now")
    assert plan.cwd == plan.code / "jobs" / "now"


def test_a_working_folder_outside_the_tree_has_one_beside_the_restored_tree() -> None:
    plan = _plan(execution__command__working_directory="/home/ada/runs/now")
    assert plan.cwd == WORK / "tree" / "runs" / "now"
    assert plan.code == WORK / "tree" / "digits"
    assert plan.arguments == ("../../digits/train.py",)


@pytest.mark.parametrize("place", ["/", "/etc", "/home/ada", "/home/../etc", "//etc", "/tmp/."])
def test_no_working_folder_of_this_machine_is_used_though_it_is_here(place: str) -> None:
    plan = _plan(execution__command__working_directory=place)
    assert plan.cwd.is_relative_to(plan.tree_folder)
    assert ".." not in plan.cwd.parts
    assert Path(plan.cwd, plan.arguments[0]).resolve() == plan.code / "train.py"


def test_a_working_folder_far_outside_is_refused() -> None:
    deep: dict[str, Any] = {"execution__code__root": "/" + "/".join("a" * 20)}
    with pytest.raises(RefusedError, match="far outside its source tree"):
        _plan(**deep, execution__command__working_directory="/gone")


def test_a_script_outside_the_tree_is_not_started() -> None:
    with pytest.raises(RefusedError, match="not in its source tree"):
        _plan(execution__command__target="/tools/train.py")


def test_flags_that_make_xla_write_files_are_left_out() -> None:
    flags = "--xla_dump_to=/home/ada --xla_cpu_enable_fast_math=false --xla_gpu_dump_llvmir"
    plan = _plan(execution__command__environment={"XLA_FLAGS": flags})
    assert plan.switches["XLA_FLAGS"] == "--xla_cpu_enable_fast_math=false"


def test_where_byte_code_goes_is_left_out() -> None:
    flags = ["-X", "pycache_prefix=/home/ada", "-O", "-W", "error"]
    words = _started(execution__command__interpreter_flags=flags)
    assert words[:3] == ["-O", "-W", "error"]


def test_a_script_that_looks_like_an_option_is_started_as_a_file() -> None:
    assert _started(execution__command__target="-train.py") == ["./-train.py"]


def test_a_module_a_text_and_flags_of_the_interpreter_are_started_as_they_were() -> None:
    kind, target = "execution__command__kind", "execution__command__target"
    assert _started(**{kind: "module", target: "pkg.train"}) == ["-m", "pkg.train"]
    assert _started(**{kind: "code", target: "print(1)"}) == ["-c", "print(1)"]
    flags = _started(execution__command__interpreter_flags=["-O", "-X", "utf8"])
    assert flags == ["-O", "-X", "utf8", "train.py"]


def test_what_wandb_repro_run_started_is_started_by_the_launcher() -> None:
    assert _started(execution__command__launcher=True) == ["-m", "wandb_repro.launch", "train.py"]


def test_an_installed_command_is_the_one_beside_the_interpreter() -> None:
    started = _started(
        execution__command__kind="console",
        execution__command__target="trainer",
        execution__command__arguments=["trainer", "--fast"],
    )
    assert started == ["/env/bin/trainer", "trainer", "--fast"]


@pytest.mark.parametrize("target", ["../../bin/sh", "/bin/sh", "-c", "", "a b", "x\n", ".."])
def test_an_installed_command_with_a_path_is_refused(target: str) -> None:
    with pytest.raises(RefusedError, match="an invalid command"):
        _plan(execution__command__kind="console", execution__command__target=target)


@pytest.mark.parametrize("words", [["a b"], ["c'd"], ["$(x)"], ["new\nline"], ["--opt=-x", ";"]])
def test_arguments_are_handed_on_as_they_were(words: list[str]) -> None:
    assert _started(execution__command__arguments=words) == ["train.py", *words]


@pytest.mark.parametrize(
    ("argument", "there"),
    [
        ("/home/ada/digits/data/x.npz", "{code}/data/x.npz"),
        ("--data=/home/ada/digits/data", "--data={code}/data"),
        ("data.root=/home/ada/digits", "data.root={code}"),
        ("--at=/home/ada/digits/a=b/c", "--at={code}/a=b/c"),
        ("/home/ada/digits=1/x", "/home/ada/digits=1/x"),
        ("/home/ada/digits2/x", "/home/ada/digits2/x"),
        ("/other/home/ada/digits", "/other/home/ada/digits"),
        ("--note=see /home/ada/digits", "--note=see /home/ada/digits"),
        ("relative/path", "relative/path"),
    ],
)
def test_an_absolute_path_below_the_originals_tree_moves_to_the_restored_one(
    argument: str, there: str
) -> None:
    plan = _plan(execution__command__arguments=[argument])
    assert plan.arguments == ("train.py", there.format(code=plan.code))


def test_nothing_moves_when_the_tree_was_the_whole_disk() -> None:
    assert moved("/etc/hosts", "/", Path("/new")) == "/etc/hosts"


def test_the_tree_keeps_its_name() -> None:
    assert _plan().code == WORK / "tree" / "digits"
    assert _plan(execution__code__root="/").code == WORK / "tree" / "code"


SECRET: dict[str, Any] = {
    "execution__command__arguments": ["--lr", "1", "--key", "<redacted>", "url=u:<redacted>@h"],
    "execution__command__redacted": [3, 4],
}


def test_every_credential_that_was_cut_out_is_asked_for_at_once() -> None:
    with pytest.raises(RefusedError) as caught:
        _plan(**SECRET)
    assert "3 ('<redacted>'), 4 ('url=u:<redacted>@h')" in caught.value.message
    assert caught.value.hint.endswith("--arg 3=VALUE --arg 4=VALUE")


def test_a_credential_is_put_in_its_place_and_never_shown() -> None:
    plan = _plan(how={"values": {3: "k1", 4: "p2"}}, **SECRET)
    assert plan.started_with(PYTHON)[2:] == ["--lr", "1", "--key", "k1", "url=u:p2@h"]
    assert plan.arguments[1:] == ("--lr", "1", "--key", "<redacted>", "url=u:<redacted>@h")


def test_an_argument_that_lost_two_credentials_is_given_whole() -> None:
    plan = _plan(
        how={"values": {0: "a:1,b:2"}},
        execution__command__arguments=["a:<redacted>,b:<redacted>"],
        execution__command__redacted=[0],
    )
    assert plan.started_with(PYTHON)[2:] == ["a:1,b:2"]


def test_a_value_for_an_argument_that_is_recorded_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="Argument 1 was not removed"):
        _plan(how={"values": {1: "2"}}, **SECRET)


def test_an_export_needs_no_credentials() -> None:
    assert _plan(how={"ask_values": False}, **SECRET).arguments[3:5] == ("--key", "<redacted>")


def test_a_relative_file_outside_the_tree_is_put_beside_it(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    outside = tmp_path / "data" / "x.csv"
    outside.touch()
    plan = _plan(
        execution__code__root=str(tmp_path / "digits"),
        description__inputs=[_input(outside, "../data/x.csv")],
    )
    assert plan.inputs.links == (Link("../data/x.csv", str(outside)),)
    assert plan.inputs.up == 1
    assert plan.code == WORK / "tree" / "digits"


def test_the_folders_above_the_tree_have_their_names(tmp_path: Path) -> None:
    """So ``../../me/x.csv`` is found too, which goes up and comes down the same way."""
    outside = tmp_path / "x.csv"
    outside.touch()
    plan = _plan(
        execution__code__root=str(tmp_path / "me" / "digits"),
        description__inputs=[_input(outside, "../../x.csv")],
    )
    assert plan.inputs.up == 2
    assert plan.code == WORK / "tree" / "me" / "digits"


def test_a_file_that_git_ignores_is_put_into_the_tree(tmp_path: Path) -> None:
    inside = tmp_path / "x.csv"
    inside.touch()
    plan = _plan(execution__code__root=str(tmp_path), description__inputs=[_input(inside)])
    assert plan.inputs.links == (Link("x.csv", str(inside)),)
    assert plan.inputs.up == 0


def test_a_file_opened_by_its_absolute_path_is_read_where_it_was(tmp_path: Path) -> None:
    outside = tmp_path / "x.csv"
    outside.touch()
    plan = _plan(
        execution__code__root=str(tmp_path / "digits"), description__inputs=[_input(outside)]
    )
    assert plan.inputs.links == ()
    assert plan.inputs.missing == ()


def test_files_that_are_not_here_are_named_before_training() -> None:
    gone = [_input(f"/gone/{number}.csv") for number in range(7)]
    with pytest.raises(RefusedError) as caught:
        _plan(description__inputs=gone)
    assert "are not here: /gone/0.csv, /gone/1.csv" in caught.value.message
    assert "/gone/6.csv." in caught.value.message
    assert "--allow-missing" in caught.value.hint


def test_missing_files_are_let_go_when_asked() -> None:
    how = {"allow_missing": True}
    plan = _plan(how=how, description__inputs=[_input("/gone/x.csv")])
    assert plan.inputs.missing == ("/gone/x.csv",)


def test_inputs_that_were_not_recorded_are_none() -> None:
    inputs = _plan(description__inputs=absent("not watched")).inputs
    assert (inputs.links, inputs.missing, inputs.up) == ((), (), 0)


def test_the_recorded_width_is_set_and_another_one_when_asked() -> None:
    recorded: dict[str, Any] = {"description__runtime__intra_op_threads": 6}
    assert _plan(**recorded).switches["TF_NUM_INTRAOP_THREADS"] == "6"
    one = _plan(how={"threads": 1}, **recorded)
    assert one.switches["TF_NUM_INTRAOP_THREADS"] == "1"


def test_recorded_switches_are_set() -> None:
    environment = {"TF_ENABLE_ONEDNN_OPTS": "0", "PYTHONHASHSEED": "3"}
    plan = _plan(
        execution__command__environment=environment, description__runtime=absent("not read")
    )
    assert plan.switches == environment


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"execution__world_size": 4}, "4 processes together"),
        ({COMMAND: absent("a notebook")}, "how it was started: a notebook"),
        ({"execution__code": absent("no git")}, "its source tree: no git"),
        ({"execution__code__bundle": absent("full")}, "the bytes of its source tree: full"),
        ({"execution__packages": absent("broken")}, "its packages: broken"),
    ],
)
def test_a_run_without_a_part_that_is_needed_is_refused(
    changes: dict[str, Any], sentence: str
) -> None:
    with pytest.raises(RefusedError, match=sentence):
        _plan(**changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"execution__command__environment": {"LD_PRELOAD": "/tmp/x.so"}},
        {"execution__command__environment": {"PATH": "/tmp"}},
        {"execution__command__environment": {"PYTHONPATH": "/tmp"}},
        {"execution__command__environment": {"PYTHONHASHSEED": "1\0"}},
        {"execution__command__target": "../../etc/cron.d/x"},
        {"execution__command__target": "a\0b"},
        {"execution__command__target": "/a\0b"},
        {"execution__command__arguments": ["a\0b"]},
        {"execution__command__interpreter_flags": ["-X\0"]},
        {"execution__command__interpreter_flags": ["-X", "a\0b"]},
        {"execution__command__interpreter_flags": ["-c", "import os"]},
        {"execution__command__interpreter_flags": ["-cimport os"]},
        {"execution__command__interpreter_flags": ["-m", "http.server"]},
        {"execution__command__interpreter_flags": ["-Om", "http.server"]},
        {"execution__command__interpreter_flags": ["/home/ada/other.py"]},
        {"execution__command__interpreter_flags": ["-i"]},
        {"execution__command__interpreter_flags": ["--", "x"]},
        {"execution__command__interpreter_flags": ["-"]},
        {"execution__command__target": "/usr/bin/crontab"},
        {"execution__command__target": "a/../../b.py"},
        {"execution__command__kind": "module", "execution__command__target": "../x"},
        {"execution__command__kind": "module", "execution__command__target": "--help"},
        {"execution__command__kind": "module", "execution__command__target": "a b"},
        {"execution__command__kind": "module", "execution__command__target": ""},
        {"execution__command__kind": "console", "execution__command__target": "../../bin/sh"},
        {"execution__command__kind": "console", "execution__command__target": "/bin/sh"},
        {"execution__command__kind": "console", "execution__command__target": "-c"},
        {"execution__command__kind": "console", "execution__command__target": "a;b"},
        {"execution__command__environment": {"PYTHONSTARTUP": "/tmp/x.py"}},
        {"execution__command__environment": {"GIT_SSH_COMMAND": "touch x"}},
        {"execution__command__environment": {"UV_INDEX_URL": "http://127.0.0.1:9"}},
        {"execution__command__environment": {"XLA_FLAGS\n": "x"}},
        {"execution__command__working_directory": "a/../../b"},
        {"execution__command__working_directory": "/a\0b"},
        {"execution__code__root": "relative"},
        {"execution__code__root": "/a\0b"},
        {"description__inputs": [_input("relative.csv")]},
        {"description__inputs": [_input("/a\0b")]},
    ],
)
def test_a_hostile_record_is_refused(changes: dict[str, Any]) -> None:
    with pytest.raises(RefusedError):
        _plan(**changes)


def test_a_record_that_looks_too_far_up_is_refused(tmp_path: Path) -> None:
    near = tmp_path / "x"
    near.touch()
    deep = tmp_path.joinpath(*["a"] * 20)
    with pytest.raises(RefusedError, match="too far"):
        _plan(execution__code__root=str(deep), description__inputs=[_input(near, "../x")])


def test_no_record_puts_the_tree_outside_the_new_folder() -> None:
    for root in ("/..", "/a/..", "/a/../..", "/a/.", "//", "/a/../../b"):
        assert _plan(execution__code__root=root).code.parent == WORK / "tree"


def test_a_plan_touches_no_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    manifest = _manifest(description__inputs=[_input("/home/ada/data/x.csv", "../data/x.csv")])
    found = FoundInputs(missing=("/home/ada/data/x.csv",))

    def touched(*_: object, **__: object) -> None:
        raise AssertionError("the disk was touched")

    with monkeypatch.context() as patch:
        for name in ("open", "stat", "lstat", "scandir", "listdir", "readlink", "mkdir"):
            patch.setattr(os, name, touched)
        patch.setattr(builtins, "open", touched)
        plan = make_plan(manifest, WORK, found, allow_missing=True)

    assert plan.inputs.missing == ("/home/ada/data/x.csv",)
    assert plan.code == WORK / "tree" / "digits"
