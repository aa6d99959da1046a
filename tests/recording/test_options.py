from __future__ import annotations

import re
from pathlib import Path

import pytest

from wandb_repro.capture.source.read_extra_files import ExtraLimits, ExtraReader
from wandb_repro.errors import UsageError
from wandb_repro.manifest.request import OPTIONS_VARIABLE, Options
from wandb_repro.recording.options import combined
from wandb_repro.recording.source_options import added_limits_of

CALL = {"seed": None, "deterministic": None, "code": "auto", "strict": False}


def project(folder: Path, table: str) -> Path:
    (folder / "pyproject.toml").write_text(f"[tool.wandb_repro]\n{table}\n")
    inner = folder / "inner"
    inner.mkdir()
    return inner


def test_the_call_comes_before_the_command_line_and_that_before_the_project(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = project(tmp_path, 'seed = 1\ncode = "off"\nsteps = 5')
    assert combined(CALL, folder=folder) == Options(seed=1, code="off", steps=5)
    monkeypatch.setenv(OPTIONS_VARIABLE, '{"seed": 2}')
    assert combined(CALL, folder=folder) == Options(seed=2, code="off", steps=5)
    told = {**CALL, "seed": 3, "code": "upload"}
    assert combined(told, folder=folder) == Options(seed=3, code="upload", steps=5)


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("seed = -1", "seed=-1 is not between 0 and 4294967295"),
        ("seed = 4294967296", "seed=4294967296 is not between"),
        ('seed = "many"', "Invalid value 'many' of option seed"),
        ("steps = 0", "steps=0 is not a number of steps"),
        ("sead = 1", "Unknown option sead; the options are seed, deterministic, code"),
        ('include = "src"', "Invalid value 'src' of option include"),
        ("exclude = ['a', 1]", "Invalid value 1 of option exclude.1"),
        ("exclude = ['']", "Invalid value '' of option exclude.0"),
        ("max_file_mb = 0", "Invalid value 0 of option max_file_mb"),
        ("max_total_mb = inf", "Invalid value inf of option max_total_mb"),
        ("max_untracked_files = -1", "Invalid value -1 of option max_untracked_files"),
    ],
)
def test_a_wrong_option_of_the_project_is_one_warning_and_its_default(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], table: str, said: str
) -> None:
    folder = project(tmp_path, f"max_added_files = 3\n{table}")
    for _ in range(2):
        assert combined(CALL, folder=folder) == Options(max_added_files=3)
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith(f"wandb_repro: warning: {tmp_path}/pyproject.toml: ")
    assert re.search(said, line)
    with pytest.raises(UsageError, match=said):
        combined({**CALL, "strict": True}, folder=folder)


def test_a_wrong_option_of_the_call_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="seed=-1 is not between"):
        combined({**CALL, "seed": -1}, folder=tmp_path)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[tool.wandb_repro\n", "cannot be read: "),
        ("[tool]\nwandb_repro = 3\n", "cannot be read: tool.wandb_repro is not a table"),
        ("[tool.ruff\n", ""),
        ("tool = 3\n", ""),
    ],
)
def test_a_pyproject_that_cannot_be_read_is_a_warning_if_it_names_us(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (tmp_path / "pyproject.toml").write_text(text)
    assert combined(CALL, folder=tmp_path) == Options()
    lines = capsys.readouterr().err.splitlines()
    assert len(lines) == bool(said)
    assert all(said in line for line in lines)


def test_options_of_the_launcher_that_cannot_be_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OPTIONS_VARIABLE, "seed=1")
    with pytest.raises(UsageError, match="does not hold options"):
        combined(CALL, folder=tmp_path)


def test_limits_of_what_is_stored_beside_the_tree_are_the_projects(tmp_path: Path) -> None:
    table = "max_added_file_mb = 0.5\nmax_added_total_mb = 2\nmax_added_files = 3"
    options = combined(CALL, folder=project(tmp_path, table))
    assert added_limits_of(options) == ExtraLimits(
        file_bytes=512 * 1024, total_bytes=2 * 1024**2, files=3
    )
    assert added_limits_of(Options()) == ExtraLimits()


@pytest.mark.parametrize(
    ("limits", "why"),
    [
        (ExtraLimits(file_bytes=2), "larger than 1.907e-06 MB"),
        (ExtraLimits(total_bytes=8), "over 7.629e-06 MB"),
        (ExtraLimits(files=2), "more than 2 files"),
    ],
)
def test_a_limit_names_what_is_over_it(tmp_path: Path, limits: ExtraLimits, why: str) -> None:
    for name in "abc":
        (tmp_path / name).write_text("1.5")
    gathering = ExtraReader(limits, lambda _: True)
    gathering.add(str(tmp_path / name) for name in "abc")
    assert why in gathering.refused[str(tmp_path / "c")]
