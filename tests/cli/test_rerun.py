from __future__ import annotations

import contextlib
import errno
import json
import os
import pty
import re
import select
import shutil
import signal
import sys
import threading
from pathlib import Path

import pytest

from tests.support.recorded import (
    NUMBERS,
    Answer,
    Ask,
    Project,
    begun,
    interrupted_when,
    with_manifest,
)
from tests.support.repositories import fingerprint
from wandb_repro.manifest.code import BundleFile, Code
from wandb_repro.rerun.plan import Plan
from wandb_repro.workflows import rerun as workflow

HERE = ("--env", "here", "--yes")


def _epochs(answer: Answer) -> int:
    """Return how many epochs the rerun trained."""
    return answer.err.count("of numbers\n")


def _code(project: Project) -> Code:
    code = project.manifest.execution.code
    assert isinstance(code, Code)
    return code


def _refused(answer: Answer, code: int, *sentences: str) -> None:
    """Check one clear error: no traceback, nothing on standard output."""
    assert "Traceback" not in answer.err
    assert answer.out == ""
    assert sum(line.startswith("error ") for line in answer.err.splitlines()) == 1
    for sentence in sentences:
        assert sentence in answer.error
    assert answer.code == code


def test_a_rerun_is_identical_and_touches_nothing_of_the_user(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    project.repository.write("half done.py", "in the middle of it")
    project.repository.write("staged.py", "x = 1\n")
    project.repository.git("add", "staged.py")
    project.repository.git("checkout", "--quiet", "-b", "another")
    recorded, before = fingerprint(numbers.folder), fingerprint(project.folder)
    answer = ask("rerun", "latest", *HERE, cwd=project.folder)
    assert answer.code == 0, answer.err
    assert answer.text.startswith("identical bit for bit")
    assert fingerprint(numbers.folder) == recorded
    (work,) = project.reruns()
    shutil.rmtree(work)
    after = fingerprint(project.folder)
    folder = "wandb"  # holds one folder more for a while, which is all that changed
    assert before.pop(folder)[0] == after.pop(folder)[0]
    assert after == before


def test_the_plan_is_shown_before_anything_is_run(numbers: Project, ask: Ask) -> None:
    answer = ask("rerun", "latest", cwd=numbers.folder)
    _refused(answer, 4, "No terminal to confirm on", "pass --yes")
    plan, _, _ = answer.error.partition("error ")
    assert "command python train.py" in plan
    assert f"tree {_code(numbers).tree}" in plan
    assert "with your permissions" in plan
    assert numbers.reruns() == []


def test_a_dry_run_runs_nothing_and_writes_nothing(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    before = fingerprint(numbers.folder)
    answer = ask("rerun", numbers.run_folder, "--dry-run", cwd=empty)
    assert answer.code == 0
    assert "with your permissions" in answer.text
    assert list(empty.iterdir()) == []
    assert fingerprint(numbers.folder) == before


def test_a_dry_run_as_data_names_what_would_be_done(numbers: Project, ask: Ask) -> None:
    words = ("rerun", "latest", "--dry-run", "--env", "here", "--threads", 1, "--json")
    data = ask(*words, cwd=numbers.folder).data
    assert data["arguments"] == ["train.py"]
    assert data["sets"]["TF_NUM_INTRAOP_THREADS"] == "1"
    assert data["cwd"] == f"{data['work']}/tree/project"
    assert data["missing"] == []


def test_a_rerun_as_data_is_the_verdict_and_nothing_else(numbers: Project, ask: Ask) -> None:
    answer = ask("rerun", "latest", *HERE, "--json", cwd=numbers.folder)
    assert answer.data["grade"] == "identical"
    assert answer.data["digests"] == 5
    assert "epoch 3 of numbers" in answer.err
    capsule = Path(answer.data["capsule"])
    assert capsule.is_relative_to(answer.data["work"])
    shutil.rmtree(answer.data["work"])


@pytest.mark.parametrize("keeps", [True, False])
def test_what_can_be_rebuilt_is_deleted_when_asked_and_the_record_stays(
    keeps: bool, numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    work = tmp_path / "work"
    options = ("--env", "here", "--yes", "--json", "--dir", work, "--bisect")
    words = ("rerun", numbers.run_folder, *options, "--keep" if keeps else "--clean")
    answer = ask(*words, cwd=tmp_path, NUMBERS_DO="differ:2")
    assert answer.code == 1, answer.err
    # Two: --bisect trained again, in a folder inside.
    assert len(list(work.glob("**/tree"))) == (2 if keeps else 0)
    assert Path(answer.data["capsule"], "manifest.json").is_file()


def test_an_error_as_data_is_data(tmp_path: Path, ask: Ask) -> None:
    answer = ask("rerun", "./nothing", "--json", cwd=tmp_path)
    assert answer.code == 2
    assert answer.data["exit_code"] == 2
    assert answer.data["error"] == "There is no folder ./nothing."
    assert answer.data["hint"]


def test_it_stops_at_the_first_difference_and_the_training_ends_early(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    work = tmp_path / "work"
    words = ("rerun", "latest", *HERE, "--dir", work)
    answer = ask(*words, cwd=numbers.folder, NUMBERS_DO="differ:2")
    assert answer.code == 1
    assert answer.text.startswith("diverged at the end of epoch 2")
    assert "dense/kernel" in answer.text
    assert _epochs(answer) == 2


@pytest.mark.slow
def test_it_trains_on_after_a_difference_when_asked(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    words = ("rerun", "latest", *HERE, "--keep-going", "--dir", tmp_path / "work", "--json")
    answer = ask(*words, cwd=numbers.folder, NUMBERS_DO="differ:2")
    assert answer.code == 1
    assert _epochs(answer) == 3
    assert answer.data["first"]["epoch"] == 2
    assert answer.data["metric_epochs"] == 3


def test_a_prefix_by_epochs_ends_the_training_there(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    words = ("rerun", "latest", *HERE, "--until-epoch", 2, "--dir", tmp_path / "work")
    answer = ask(*words, cwd=numbers.folder, NUMBERS_DO="differ:3")
    assert answer.code == 0, answer.err
    assert "identical up to epoch 2" in answer.text
    assert _epochs(answer) == 2


@pytest.mark.slow
def test_a_prefix_by_steps_ends_the_training_there(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    words = ("rerun", "latest", *HERE, "--until-step", 2, "--dir", tmp_path / "work")
    answer = ask(*words, cwd=numbers.folder, NUMBERS_DO="differ:2")
    assert answer.code == 0, answer.err
    assert "identical up to step 2" in answer.text
    assert _epochs(answer) == 1


def test_an_original_that_was_killed_is_inconclusive_with_the_reason(
    killed_run: Project, tmp_path: Path, ask: Ask
) -> None:
    words = ("rerun", "latest", *HERE, "--dir", tmp_path / "work")
    answer = ask(*words, cwd=killed_run.folder)
    assert answer.code == 3
    assert "the original has no end record" in answer.text
    assert _epochs(answer) == 2


@pytest.mark.slow
def test_the_epochs_before_an_original_was_killed_can_be_verified(
    killed_run: Project, tmp_path: Path, ask: Ask
) -> None:
    words = ("rerun", "latest", *HERE, "--until-epoch", 2, "--dir", tmp_path / "work")
    answer = ask(*words, cwd=killed_run.folder)
    assert answer.code == 0, answer.err
    assert "identical up to epoch 2" in answer.text


def test_a_training_that_fails_by_itself_has_its_own_exit_code(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    work = tmp_path / "work"
    words = ("rerun", "latest", *HERE, "--dir", work, "--json")
    answer = ask(*words, cwd=numbers.folder, NUMBERS_DO="fail:2")
    assert answer.code == 5
    assert answer.data["error"].startswith("The training ended with exit code 1")
    assert (answer.data["grade"], answer.data["moments"]) == ("inconclusive", 3)
    lines = (work / "tree" / "project" / "train.py").read_text().splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "raise ValueError" in text)
    assert answer.data["endings"]["rerun"] == f"ValueError at train.py:{line}"
    assert answer.data["last_equal"] == "the end of epoch 2"
    assert "ValueError: the disk with the images is gone" in answer.err
    assert f"Rerun files: {work}" in answer.err
    assert (work / "tree" / "project" / "train.py").exists()


@pytest.mark.slow
def test_a_training_that_a_signal_ends_names_the_signal(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    words = ("rerun", "latest", *HERE, "--dir", tmp_path / "work")
    answer = ask(*words, cwd=numbers.folder, NUMBERS_DO="kill:1")
    assert answer.code == 5
    assert "The training was ended by signal 9" in answer.error
    assert answer.out.startswith("inconclusive  so far equal; the rerun failed with SIGKILL\n")
    assert "Traceback" not in answer.err


def test_a_script_that_records_nothing_is_inconclusive(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    words = ("rerun", "latest", *HERE, "--dir", tmp_path / "work")
    answer = ask(*words, cwd=numbers.folder, NUMBERS_DO="nothing")
    _refused(answer, 3, "without recording anything", "It must call wandb_repro.init")


def _alive(number: int) -> bool:
    try:
        return Path(f"/proc/{number}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


@pytest.mark.parametrize(
    "number",
    [
        signal.SIGINT,
        pytest.param(signal.SIGTERM, marks=pytest.mark.slow),
        pytest.param(signal.SIGHUP, marks=pytest.mark.slow),
    ],
)
def test_an_interrupted_rerun_leaves_no_training_behind(
    number: int, numbers: Project, tmp_path: Path
) -> None:
    """Started without a controlling terminal, as by a scheduler."""
    words = ("rerun", "latest", *HERE, "--dir", tmp_path / "work", "--json")
    with begun(*words, cwd=numbers.folder, NUMBERS_DO="wait:1") as process:
        line, answer = interrupted_when(process, "waiting ", number)
    assert answer.code == 130, answer.err
    assert answer.data["error"] == "interrupted"
    assert not _alive(int(line.split()[1]))
    assert "Traceback" not in answer.err.rpartition("KeyboardInterrupt")[2]


def test_a_work_folder_that_is_not_empty_is_wrong_use(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    (tmp_path / "mine").touch()
    answer = ask("rerun", "latest", *HERE, "--dir", tmp_path, cwd=numbers.folder)
    _refused(answer, 2, "is not empty", "Name a new folder")
    answer = ask("rerun", "latest", *HERE, "--dir", tmp_path / "mine", cwd=numbers.folder)
    _refused(answer, 2, "is not a folder")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


def test_a_full_disk_is_one_sentence_and_leaves_nothing(
    numbers: Project, tmp_path: Path, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(plan: Plan, bundle: Path, added: Path) -> None:
        del bundle, added
        (plan.work / "half").touch()
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(plan.work / "half"))

    monkeypatch.setattr(workflow, "restore_code", full)
    work = tmp_path / "work"
    answer = ask("rerun", "latest", *HERE, "--dir", work, cwd=numbers.folder)
    _refused(answer, 4, "No space left on device", "Free some space")
    assert not work.exists()


def test_a_work_folder_that_cannot_be_made_is_one_sentence(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    (tmp_path / "file").touch()
    answer = ask("rerun", "latest", *HERE, "--dir", tmp_path / "file" / "x", cwd=numbers.folder)
    _refused(answer, 4, "Not a directory")


def test_a_bundle_that_does_not_match_leaves_nothing_behind(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    with project.capsule.bundle.open("ab") as bundle:
        bundle.write(b"\0")
    answer = ask("rerun", "latest", *HERE, cwd=project.folder)
    _refused(answer, 4, "is not the bundle that was recorded", "etch the run")
    assert project.reruns() == []


def test_a_bundle_that_is_missing_is_said_before_anything_is_asked(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    project.capsule.bundle.unlink()
    answer = ask("rerun", "latest", cwd=project.folder)
    _refused(answer, 4, "source tree is not here: there is no", "Fetch the run again")


def test_a_world_of_several_processes_is_refused(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    with_manifest(project, {"execution.world_size": 2})
    answer = ask("rerun", "latest", "--yes", cwd=project.folder)
    _refused(answer, 4, "2 processes together")


def _with_wheel(project: Project) -> Path:
    (wheel,) = project.capsule.wheels.glob("wandb_repro-*.whl")
    return wheel


def test_a_wheel_that_is_missing_or_changed_is_said_before_anything_is_asked(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    wheel = _with_wheel(project)
    content = bytearray(wheel.read_bytes())
    content[100] ^= 1
    wheel.write_bytes(content)
    for _ in range(2):
        answer = ask("rerun", "latest", "--env", "rebuild", cwd=project.folder)
        _refused(answer, 4, f"The wheel {wheel.name} of the run is missing or is not the one")
        wheel.unlink(missing_ok=True)


def test_a_python_that_is_not_here_is_said_before_anything_is_asked(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    with_manifest(project, {"execution.packages.interpreter.version": "3.9.99"})
    answer = ask("rerun", "latest", cwd=project.folder)
    _refused(answer, 4, "Python 3.9.99 (cpython), which ran the original, is not on this machine")


def test_without_uv_a_rebuild_is_refused_and_the_extra_named(
    numbers: Project, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "uv", None)
    answer = ask("rerun", "latest", "--env", "rebuild", cwd=numbers.folder, PATH="/nonexistent")
    _refused(answer, 4, "uv, which builds", "wandb-repro[rerun]")


def test_a_package_that_cannot_be_had_any_more_is_named(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    """The index is an empty folder: it has nothing any more."""
    (tmp_path / "index").mkdir()
    index = (tmp_path / "index").as_uri()
    words = ("rerun", "latest", "--env", "rebuild", "--yes")
    project = numbers.copy(tmp_path / "project")
    packages = json.loads(project.capsule.manifest.read_text())["execution"]["packages"]
    (six,) = [one for one in packages["distributions"] if one["name"] == "click"]
    with_manifest(
        project,
        {
            "execution.packages.distributions": [{**six, "name": "gone", "version": "9.9"}],
            "execution.packages.loaded": {"at_start": ["gone"], "at_end": ["gone"]},
        },
    )
    answer = ask(*words, cwd=project.folder, UV_DEFAULT_INDEX=index)
    _refused(answer, 4, "gone")
    assert project.reruns() == []


@pytest.mark.parametrize(
    ("words", "code", "sentence"),
    [
        (("--env", "no-such-python"), 2, "There is no interpreter no-such-python"),
        (("--env", "/"), 2, "There is no interpreter /"),
        (("--env", "here", "--python", "python3"), 2, "--env says not to rebuild"),
        (("--arg", "3"), 2, "--arg takes N=VALUE"),
        (("--arg", "x=3"), 2, "--arg takes N=VALUE"),
        (("--arg", "0=3"), 2, "Argument 0 was not removed"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(
    words: tuple[str, ...], code: int, sentence: str, numbers: Project, ask: Ask
) -> None:
    answer = ask("rerun", "latest", "--yes", *words, cwd=numbers.folder)
    _refused(answer, code, sentence)


@pytest.mark.parametrize("option", ["--until-epoch", "--until-step", "--threads"])
def test_a_number_below_one_is_wrong_use(option: str, numbers: Project, ask: Ask) -> None:
    answer = ask("rerun", "latest", option, "0", cwd=numbers.folder)
    assert answer.code == 2
    assert option in answer.err


def test_an_environment_at_hand_that_is_not_the_originals_says_what_differs(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    manifest = json.loads(project.capsule.manifest.read_text())
    names = [one["name"] for one in manifest["execution"]["packages"]["distributions"]]
    place = f"execution.packages.distributions.{names.index('numpy')}.version"
    with_manifest(project, {place: "1.0"})
    words = ("rerun", "latest", "--dry-run", "--env", "here", "--json")
    data = ask(*words, cwd=project.folder).data
    assert "numpy" in data["environment"]
    assert any(re.match(r"numpy is .*; the original had 1\.0", one) for one in data["not_equal"])


@pytest.mark.slow
def test_a_relative_file_outside_the_repository_is_found_again(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "home" / "project")
    outside = tmp_path / "home" / "data" / "start.txt"
    outside.parent.mkdir()
    outside.write_text("0.5")
    (project.folder / "inside.txt").write_text("0.25")  # which git ignores
    words = ("train.py", "../data/start.txt", "inside.txt")
    assert project.record(*words).returncode == 0
    run = Project(project.folder.rename(tmp_path / "gone")).run_folder
    outside.rename(tmp_path / "kept.txt")
    answer = ask("rerun", run, *HERE, "--dir", tmp_path / "one", cwd=tmp_path)
    _refused(answer, 4, f"files that are not here: {outside}", "--allow-missing")
    outside.write_text("0.7")
    answer = ask("rerun", run, *HERE, "--dir", tmp_path / "one", cwd=tmp_path)
    _refused(answer, 3, f"files that are not the same here: {outside}", "--allow-missing")
    assert not (tmp_path / "one").exists()
    (tmp_path / "kept.txt").rename(outside)
    answer = ask("rerun", run, *HERE, "--dir", tmp_path / "two", cwd=tmp_path)
    assert answer.code == 0, answer.err
    assert "start.txt as ../data/start.txt" in answer.error


def test_with_allow_missing_it_goes_on_without_a_file(
    numbers: Project, tmp_path: Path, ask: Ask
) -> None:
    project = numbers.copy(tmp_path / "project")
    gone = {"path": "/gone/x.txt", "absolute": "/gone/x.txt", "size_bytes": 3}
    with_manifest(project, {"description.inputs": [gone]})
    answer = ask("rerun", "latest", *HERE, "--allow-missing", cwd=project.folder)
    assert answer.code == 0, answer.err
    assert "missing /gone/x.txt" in answer.error


@pytest.mark.slow
def test_a_rerun_can_itself_be_shown_and_rerun(numbers: Project, tmp_path: Path, ask: Ask) -> None:
    first = ask("rerun", "latest", *HERE, "--dir", tmp_path / "1", "--json", cwd=numbers.folder)
    capsule = first.data["capsule"]
    shown = ask("show", capsule, cwd=tmp_path)
    assert shown.code == 0
    assert f"rerun of {first.data['original']}" in shown.text
    again = ask("rerun", capsule, *HERE, "--dir", tmp_path / "2", "--json", cwd=tmp_path)
    assert again.code == 0, again.err
    assert again.data["original"] == first.data["rerun"]


@pytest.mark.slow
def test_two_reruns_at_once_do_not_disturb_each_other(numbers: Project, tmp_path: Path) -> None:
    words = ("rerun", "latest", *HERE, "--json")
    with begun(*words, cwd=numbers.folder) as one, begun(*words, cwd=numbers.folder) as two:
        answers: dict[int, tuple[str, str]] = {}

        def wait(number: int) -> None:
            answers[number] = (one, two)[number].communicate(timeout=100)

        threads = [threading.Thread(target=wait, args=(number,)) for number in (0, 1)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    data = [json.loads(answers[number][0]) for number in (0, 1)]
    assert [one["grade"] for one in data] == ["identical", "identical"]
    assert data[0]["work"] != data[1]["work"]
    for verdict in data:
        shutil.rmtree(verdict["work"])


@pytest.mark.slow
def test_a_script_of_a_subfolder_is_run_in_that_subfolder(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    for name in ("train.py", "network.py"):
        (project.folder / name).rename(project.repository.write(f"jobs/{name}", ""))
    (project.folder / "jobs" / "start.txt").write_text("1")
    assert project.record("train.py", "start.txt", cwd="jobs").returncode == 0
    answer = ask("rerun", "latest", *HERE, cwd=project.folder)
    assert answer.code == 0, answer.err
    assert "/tree/project/jobs" in answer.err.replace("\n", "").replace(" ", "")


@pytest.mark.slow
def test_a_script_given_by_its_absolute_path_is_the_restored_one(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project")
    assert project.record(str(project.folder / "train.py")).returncode == 0
    (project.folder / "train.py").write_text("raise SystemExit('the original was started')")
    answer = ask("rerun", "latest", *HERE, cwd=project.folder)
    assert answer.code == 0, answer.err


@pytest.mark.slow
def test_code_kept_on_this_machine_only_is_found_again_or_said_to_be_elsewhere(
    tmp_path: Path, ask: Ask
) -> None:
    script = NUMBERS.replace("seed=7", 'seed=7, code="local"')
    project = Project.made(tmp_path / "project", script)
    data = str(tmp_path / "data")
    assert project.record("train.py", XDG_DATA_HOME=data).returncode == 0
    assert not project.capsule.bundle.exists()
    words = ("rerun", "latest", *HERE)
    answer = ask(*words, cwd=project.folder, XDG_DATA_HOME=data)
    assert answer.code == 0, answer.err
    answer = ask(*words, cwd=project.folder, XDG_DATA_HOME=str(tmp_path / "elsewhere"))
    _refused(answer, 4, "there is no", "rerun it on the machine that recorded it")


def test_a_run_without_its_code_is_refused(tmp_path: Path, ask: Ask) -> None:
    project = Project.made(tmp_path / "project", NUMBERS.replace("seed=7", 'code="off"'))
    assert project.record("train.py").returncode == 0
    code = project.manifest.execution.code
    assert not (isinstance(code, Code) and isinstance(code.bundle, BundleFile))
    _refused(ask("rerun", "latest", *HERE, cwd=project.folder), 4, 'code="off"')
    shown = ask("show", "latest", cwd=project.folder)
    assert shown.code == 0
    assert "cannot be rerun" in shown.text


def test_what_it_prints_is_plain_when_nobody_watches(numbers: Project, tmp_path: Path) -> None:
    words = ("rerun", "latest", "--dry-run")
    with begun(*words, cwd=numbers.folder) as process:
        out, err = process.communicate(timeout=60)
    assert "\x1b" not in out + err
    assert max(len(line.rstrip()) for line in out.splitlines()) <= 80


@pytest.mark.slow
def test_a_keras_training_is_rerun_identically(
    keras_run: Project, tmp_path: Path, ask: Ask
) -> None:
    words = ("rerun", "latest", *HERE, "--dir", tmp_path / "work", "--json")
    answer = ask(*words, cwd=keras_run.folder)
    assert answer.code == 0, answer.err
    assert answer.data["metrics_equal_bits"] == 2


def _conversation(terminal: int, keys: bytes) -> bytes:
    """Type the keys when asked; return all that was shown until the process ended.

    NOTE: Python loses a Ctrl-C that comes just before it waits for a line: it is noticed only when
    the line is there. So it is typed again when nothing happens, as anybody would.
    """
    shown = b""
    typed = False
    with contextlib.suppress(OSError):  # the terminal is gone when the process is
        for _ in range(600):
            happened = bool(select.select([terminal], [], [], 1)[0])
            if happened:
                shown += os.read(terminal, 4096)
            if b"Run it?" in shown and (not typed or (not happened and keys == b"\x03")):
                os.write(terminal, keys)
                typed = True
    return shown


def _typed(project: Project, keys: bytes) -> tuple[int, str]:
    """Rerun at a terminal, type the keys when asked, and return exit code and what was shown."""
    number, terminal = pty.fork()
    if number == 0:
        os.chdir(project.folder)
        os.environ.update(WANDB_MODE="offline", TERM="xterm", COLUMNS="80")
        words = ["-m", "wandb_repro", "rerun", "latest", "--env", "here"]
        os.execv(sys.executable, [sys.executable, *words])  # noqa: S606
    shown = _conversation(terminal, keys)
    os.close(terminal)
    return os.waitstatus_to_exitcode(os.waitpid(number, 0)[1]), shown.decode()


@pytest.mark.parametrize(("keys", "code"), [(b"n\n", 4), (b"\n", 4), (b"\x03", 130)])
def test_at_a_terminal_it_asks_and_only_yes_is_a_yes(
    keys: bytes, code: int, numbers: Project, tmp_path: Path
) -> None:
    project = numbers.copy(tmp_path / "project")
    ended, shown = _typed(project, keys)
    assert ended == code, shown
    assert shown.index("with your permissions") < shown.index("Run it? [y/N]")
    assert "Traceback" not in shown
    assert project.reruns() == []


def test_at_a_terminal_a_yes_runs_it(numbers: Project, tmp_path: Path) -> None:
    ended, shown = _typed(numbers.copy(tmp_path / "project"), b"y\n")
    assert ended == 0, shown
    assert "identical" in shown.rpartition("Run it?")[2]
