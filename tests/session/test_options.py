from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.errors import UsageError
from wandb_repro.manifest.order import OPTIONS_VARIABLE, Options
from wandb_repro.session.options import combined

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
        ('seed = "many"', "The option seed cannot be 'many'"),
        ("steps = 0", "steps=0 is not a number of steps"),
        ("sead = 1", "There is no option sead; there are seed, deterministic, code"),
        ('include = "src"', "The option include cannot be 'src'"),
        ("exclude = ['a', 1]", "The option exclude.1 cannot be 1"),
        ("exclude = ['']", "The option exclude.0 cannot be ''"),
        ("max_file_mb = 0", "The option max_file_mb cannot be 0"),
        ("max_total_mb = inf", "The option max_total_mb cannot be inf"),
        ("max_untracked_files = -1", "The option max_untracked_files cannot be -1"),
    ],
)
def test_an_option_that_cannot_be_is_refused_by_name(tmp_path: Path, table: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        combined(CALL, folder=project(tmp_path, table))


def test_a_pyproject_that_cannot_be_read_is_its_own_tools_affair(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.wandb_repro\n")
    assert combined(CALL, folder=tmp_path) == Options()


def test_options_of_the_launcher_that_cannot_be_read_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(OPTIONS_VARIABLE, "seed=1")
    with pytest.raises(UsageError, match="does not hold options"):
        combined(CALL, folder=tmp_path)
