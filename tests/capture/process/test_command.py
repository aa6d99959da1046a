from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.fake_host import FakeHost
from wandb_repro.capture.process.command import probe_command
from wandb_repro.capture.process.command_line import ignores_environment
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.command import Command
from wandb_repro.recording.children.handover import STARTUP_FOLDER

ROOT = Path("/project")


def _probe(host: FakeHost, root: Path | None = ROOT) -> Command:
    command = probe_command(host, root)
    assert isinstance(command, Command)
    return command


def _started(*command_line: str, started_in: str = "/project") -> FakeHost:
    return FakeHost(command_line=command_line, started_in=started_in)


@pytest.mark.parametrize(
    ("path", "started_in", "target", "folder"),
    [
        ("train.py", "/project", "train.py", "."),
        ("train.py", "/project/src", "src/train.py", "src"),
        ("../train.py", "/project/src", "train.py", "src"),
        ("/project/src/train.py", "/elsewhere", "src/train.py", "/elsewhere"),
        ("train.py", "/elsewhere", "/elsewhere/train.py", "/elsewhere"),
        ("/projects/train.py", "/project", "/projects/train.py", "."),
        (".", "/project/app", "app", "app"),
    ],
)
def test_paths_inside_the_tree_are_told_from_its_root(
    path: str, started_in: str, target: str, folder: str
) -> None:
    command = _probe(_started("python", path, started_in=started_in))
    assert (command.kind, command.target) == ("script", target)
    assert command.working_directory == folder


def test_a_tree_reached_by_a_link_is_the_same_tree() -> None:
    host = FakeHost(command_line=("python", "/link/train.py"), links={"/link": "/project"})
    assert _probe(host).target == "train.py"
    assert _probe(host, Path("/link")).working_directory == "."


def test_without_a_tree_paths_stay_absolute() -> None:
    command = _probe(_started("python", "train.py"), None)
    assert (command.target, command.working_directory) == ("/project/train.py", "/project")


def test_a_module_keeps_its_name_and_the_flags_theirs() -> None:
    command = _probe(_started("python", "-Xutf8", "-Im", "pkg.train", "--lr", "1"))
    assert (command.kind, command.target) == ("module", "pkg.train")
    assert command.interpreter_flags == ("-X", "utf8", "-I")
    assert command.arguments == ("--lr", "1")
    assert not command.launcher


def test_code_keeps_its_text() -> None:
    command = _probe(_started("python", "-c", "import app\napp.main()", "x"))
    assert (command.kind, command.target) == ("code", "import app\napp.main()")


def test_an_installed_command_is_told_by_its_name() -> None:
    command = _probe(_started("/environment/bin/python", "/environment/bin/train", "x"))
    assert (command.kind, command.target, command.arguments) == ("console", "train", ("x",))


def test_the_launcher_is_seen_through() -> None:
    command = _probe(_started("python", "-O", "-m", "wandb_repro.launch", "train.py", "x"))
    assert command.launcher
    assert (command.kind, command.target, command.arguments) == ("script", "train.py", ("x",))
    assert command.interpreter_flags == ("-O",)


def test_credentials_are_cut_and_their_places_kept() -> None:
    command = _probe(_started("python", "train.py", "--api-key", "abcd", "--lr", "1"))
    assert command.arguments == ("--api-key", "<redacted>", "--lr", "1")
    assert command.redacted == (1,)


def test_only_known_variables_are_recorded() -> None:
    environ = {"XLA_FLAGS": "--a", "PYTHONHASHSEED": "0", "WANDB_API_KEY": "k", "LD_PRELOAD": "x"}
    command = _probe(FakeHost(environ=environ))
    assert command.environment == {"XLA_FLAGS": "--a", "PYTHONHASHSEED": "0"}


@pytest.mark.parametrize(
    ("command_line", "part"),
    [
        ((), "embedded"),
        (("python",), "prompt"),
        (("python", "-"), "standard input"),
        (("python", "-m", "ipykernel_launcher", "-f", "x.json"), "notebook"),
        (("python", "/lib/ipykernel_launcher.py", "-f", "x.json"), "notebook"),
        (("python", "-m", "IPython"), "prompt"),
        (("python", "/environment/bin/ipython"), "prompt"),
        (("python", "-c", "from multiprocessing.spawn import spawn_main; spawn_main()"), "worker"),
        (("python", "-c", "from multiprocessing.forkserver import main"), "worker"),
        (("python", "-m", "joblib.externals.loky.backend.popen_loky_posix"), "worker"),
        (("python", "-c", "login(key='abcd1234xyz')"), "credential"),
        (("python", "-m"), "names nothing"),
        (("python", "-m", "wandb_repro.launch"), "prompt"),
    ],
)
def test_what_cannot_be_started_again_says_what_to_do(
    command_line: tuple[str, ...], part: str
) -> None:
    told = probe_command(_started(*command_line), ROOT)
    assert isinstance(told, Unavailable)
    assert part in told.unavailable


def test_a_forked_worker_is_not_started_again_by_its_parents_command_line() -> None:
    host = _started("python", "train.py")
    host.is_forked = True
    told = probe_command(host, ROOT)
    assert isinstance(told, Unavailable)
    assert "worker" in told.unavailable


def test_the_folder_that_watches_child_processes_is_not_on_the_recorded_search_path() -> None:
    path = f"{STARTUP_FOLDER}:/mine"
    host = FakeHost(command_line=("python", "train.py"), environ={"PYTHONPATH": path})
    assert _probe(host).python_path == ("/mine",)


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("python a.py", False),
        ("python a.py -E", False),
        ("python -E a.py", True),
        ("python -OI a.py", True),
        ("python -m wandb_repro.launch a.py", False),
    ],
)
def test_flags_that_deafen_python_are_known(line: str, expected: bool) -> None:
    assert ignores_environment(line.split()) is expected
