"""Which source tree goes with a run: what W&B's settings and ``[tool.wandb_repro]`` say."""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import pytest

from tests.support.fake_host import FakeHost
from tests.support.planted import KINDS
from tests.support.repositories import Repository, in_tree, repository
from tests.support.training import SmallHost, Young, finished
from wandb_repro import init
from wandb_repro.capture.source.limits import Limits
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.code import EXCLUDED, IGNORED, BundleFile, Code, GitState
from wandb_repro.manifest.request import Options
from wandb_repro.recording.source import why_no_code
from wandb_repro.recording.source_options import limits_of, start_folder
from wandb_repro.recording.wandb_run import Run


def _monorepo(young: Young) -> Repository:
    """Make a repository around the project's folder, with another team in it."""
    made = repository(young.folder, **{".gitignore": "wandb/\n*.log\n", "other/big.py": "b = 1\n"})
    made.write("project/train.py", "p = 1\n")
    made.write("shared/util.py", "u = 1\n")
    return made


def _code(young: Young, settings: dict[str, str] | None = None) -> tuple[Code, set[str]]:
    """Record a run; return its code, and the files that its bundle holds."""
    import wandb

    given = cast("Any", wandb.Settings)(**(settings or {}))
    recorded = finished(init(project="p", settings=given))
    code = recorded.manifest.execution.code
    assert isinstance(code, Code)
    assert isinstance(code.bundle, BundleFile)
    alone = repository(young.folder / "wandb" / "alone")
    alone.git("fetch", "--quiet", str(recorded.capsule.bundle), "refs/heads/snapshot")
    return code, set(in_tree(alone.path / ".git", code.tree))


def _options(young: Young, *lines: str) -> None:
    text = "\n".join(("[tool.wandb_repro]", *lines))
    (young.folder / "pyproject.toml").write_text(text)


def test_without_settings_it_is_the_repository_around_the_script(offline: Young) -> None:
    made = _monorepo(offline)

    code, files = _code(offline)

    assert code.root == str(made.path)
    assert files == {".gitignore", "train.py", "other/big.py", "project/train.py", "shared/util.py"}


def test_includes_and_excludes_keep_other_teams_out(offline: Young) -> None:
    made = _monorepo(offline)
    made.write("shared/data.csv", "1")
    _options(offline, 'include = ["/project/", "shared"]', 'exclude = ["*.csv"]')

    code, files = _code(offline)

    assert files == {"pyproject.toml", "project/train.py", "shared/util.py"}
    named = {left.path for left in code.left_out if left.reason == EXCLUDED}
    assert {"other/big.py", "train.py", "shared/data.csv"} <= named


def test_limits_are_set_in_the_project(offline: Young) -> None:
    made = _monorepo(offline)
    made.write("project/large.bin", b"l" * 5000)
    _options(offline, "max_file_mb = 0.004")

    code, files = _code(offline)

    (left,) = (left for left in code.left_out if left.path == "project/large.bin")
    assert "project/large.bin" not in files
    assert (left.size_bytes, str(left.digest)[:7]) == (5000, "sha256:")
    assert left.reason == "larger than 0.004 MB, the limit for a file"


def test_a_secret_that_is_committed_stays_here_and_is_told_before_training(
    offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    made = _monorepo(offline)
    planted = KINDS["a Stripe key"]
    made.write(planted.file, planted.content)
    made.commit()

    code, files = _code(offline)

    assert planted.file not in files
    assert {left.path for left in code.left_out if "Stripe" in left.reason} == {planted.file}
    assert f"not stored, looks like a secret: {planted.file}" in capsys.readouterr().err


@pytest.mark.parametrize("committed", [True, False])
def test_what_is_no_secret_by_its_users_word_is_stored(
    offline: Young, capsys: pytest.CaptureFixture[str], *, committed: bool
) -> None:
    made = _monorepo(offline)
    planted = KINDS["a Stripe key"]
    made.write(f"project/fakes/{planted.file}", planted.content)
    made.write("project/fakes/.env", "SIZE=4\n")
    made.write(planted.file, planted.content)
    if committed:
        made.commit()
    _options(offline, 'not_secret = ["fakes/"]')

    code, files = _code(offline)

    assert {f"project/fakes/{planted.file}", "project/fakes/.env"} <= files
    assert [left.path for left in code.left_out if "secret" in left.reason] == [planted.file]
    assert "not_secret in [tool.wandb_repro]" in capsys.readouterr().err


def test_limits_are_those_of_the_options() -> None:
    given = Options(max_file_mb=1, max_total_mb=2, max_untracked_files=3)
    assert limits_of(given) == Limits(2**20, 2 * 2**20, 3)
    assert limits_of(Options()) == Limits()


def test_a_wrong_limit_is_a_warning_and_the_default_holds(
    offline: Young, capsys: pytest.CaptureFixture[str]
) -> None:
    _options(offline, 'max_file_mb = "50"')
    _monorepo(offline)

    _, files = _code(offline)

    assert "project/train.py" in files
    assert "Invalid value '50' of option max_file_mb" in capsys.readouterr().err


def test_ignored_files_are_in_the_record(offline: Young) -> None:
    _monorepo(offline).write("project/train.log", "noise")

    code, files = _code(offline)

    assert "project/train.log" not in files
    assert [left.path for left in code.left_out if left.reason == IGNORED] == ["project/train.log"]


def test_code_dir_is_the_part_of_the_tree_that_is_taken(offline: Young) -> None:
    made = _monorepo(offline)

    code, files = _code(offline, {"code_dir": str(made.path / "shared")})

    assert code.root == str(made.path)
    assert files == {"shared/util.py"}


def test_a_code_dir_elsewhere_is_the_tree(
    offline: Young, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = repository(tmp_path_factory.mktemp("elsewhere") / "code")

    code, files = _code(offline, {"code_dir": str(elsewhere.path)})

    assert (code.root, files) == (str(elsewhere.path), {"train.py"})


def test_git_root_is_the_tree(offline: Young, tmp_path_factory: pytest.TempPathFactory) -> None:
    _monorepo(offline)
    elsewhere = repository(tmp_path_factory.mktemp("elsewhere") / "code")

    code, files = _code(offline, {"git_root": str(elsewhere.path)})

    assert (code.root, files) == (str(elsewhere.path), {"train.py"})


def test_the_git_root_that_wandb_found_by_itself_is_no_choice(tmp_path: Path) -> None:
    """It is the repository around W&B's own folder, wherever that is."""
    around_wandb = repository(tmp_path / "results").path
    project = repository(tmp_path / "project").path
    host = FakeHost(command_line=("python", "-m", "train"), started_in=str(project))
    run = _run(root_dir=str(around_wandb), git_root=str(around_wandb))

    assert start_folder(run.settings, host) == project
    told = FakeHost(
        command_line=host.command_line,
        started_in=str(project),
        environ={"WANDB_GIT_ROOT": str(around_wandb)},
    )
    assert start_folder(run.settings, told) == around_wandb


def _run(**settings: object) -> Run:
    class Settings:
        pass

    class Fake:
        def __init__(self) -> None:
            self.settings = Settings()
            vars(self.settings).update(settings)

    return cast("Run", Fake())


SETTINGS: dict[str, object] = {"disable_code": True, "disable_git": True, "save_code": False}


@pytest.mark.parametrize("name", SETTINGS)
def test_each_switch_of_wandb_keeps_the_code_here_unless_told_otherwise(name: str) -> None:
    run = _run(**{name: SETTINGS[name]})
    assert name in why_no_code("auto", run)
    assert why_no_code("upload", run) == why_no_code("local", run) == ""


def test_the_default_of_save_code_is_no_choice() -> None:
    assert why_no_code("auto", _run(save_code=None)) == ""
    assert why_no_code("off", _run()) == 'code="off": the source tree was not stored'


def test_a_container_without_git_has_what_its_builder_told(
    offline: Young, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_GIT_COMMIT", "c" * 40)
    monkeypatch.setenv("WANDB_GIT_REMOTE_URL", "https://ada:secret@git.example/ada/digits.git")

    code, files = _code(offline)

    assert files == {"train.py"}
    assert isinstance(code.git, GitState)
    assert code.git.commit == "c" * 40
    assert "secret" not in str(code.git.remote)
    assert "git.example/ada/digits.git" in str(code.git.remote)
    assert code.git.dirty == Unavailable(unavailable="the code is not in a git repository")


def test_a_repository_is_believed_before_the_variables(
    offline: Young, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = _monorepo(offline)
    monkeypatch.setenv("WANDB_GIT_COMMIT", "c" * 40)

    code, _ = _code(offline)

    assert isinstance(code.git, GitState)
    assert code.git.commit == made.git("rev-parse", "HEAD")


@pytest.mark.parametrize("folder", ["wandb", "runs/wandb", ".wandb", "wandb-elsewhere"])
def test_the_folders_of_wandb_are_never_in_the_snapshot(offline: Young, folder: str) -> None:
    """Here ``WANDB_DIR`` points inside the tree, and git does not ignore it."""
    import wandb

    made = repository(offline.folder / "code")
    place = made.path / folder
    place.parent.mkdir(exist_ok=True)
    if folder == ".wandb":
        place.mkdir()
    wandb.setup(wandb.Settings(root_dir=str(place if "-" in folder else place.parent)))
    offline.monkeypatch.setattr(
        "wandb_repro.recording.process_state.process.host", SmallHost(started_in=str(made.path))
    )

    code, files = _code(offline)

    assert code.root == str(made.path)
    assert files == {"train.py"}
    assert code.left_out == ()
    assert any(made.path.rglob("*.wandb"))


def test_what_was_only_read_for_its_digest_is_no_input_of_the_run(offline: Young) -> None:
    _monorepo(offline).write("project/train.log", "noise")

    recorded = finished(init(project="p"))

    code, inputs = recorded.manifest.execution.code, recorded.manifest.description.inputs
    assert isinstance(code, Code)
    assert not isinstance(inputs, Unavailable)
    assert "project/train.log" in {left.path for left in code.left_out}
    assert not any("train.log" in found.absolute for found in inputs)
