from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from tests.support.fake_host import FakeHost
from tests.support.fake_shell import FakeShell
from wandb_repro.errors import RefusedError
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording.mode import Recording
from wandb_repro.recording.notebook import Notebook, notebook_of
from wandb_repro.recording.wandb_run import Run
from wandb_repro.store.capsule import Capsule
from wandb_repro.store.cells import read_cells


def _notebook(
    folder: Path, shell: FakeShell | None, choice: str = "auto", **settings: object
) -> Notebook | Unavailable:
    run = cast("Run", SimpleNamespace(settings=SimpleNamespace(**settings)))
    modules: Any = {} if shell is None else shell.modules
    host = FakeHost(modules=modules)
    return notebook_of(run, host, choice=choice, capsule=Capsule(folder), mode=Recording())


def test_the_cells_on_the_disk_are_those_that_the_record_tells_of(tmp_path: Path) -> None:
    shell = FakeShell("init()", failed={})
    notebook = _notebook(tmp_path, shell)
    assert isinstance(notebook, Notebook)
    first = notebook.file()
    shell.execute("fit()")
    second = notebook.file()
    assert (first.count, second.count) == (1, 2)
    assert [cell.source for cell in read_cells(Capsule(tmp_path), second).cells] == [
        "init()",
        "fit()",
    ]
    with pytest.raises(RefusedError, match="does not hold the cells"):
        read_cells(Capsule(tmp_path), first)


@pytest.mark.parametrize(
    ("choice", "settings", "part"),
    [
        ("off", {}, 'code="off"'),
        ("auto", {"disable_code": True}, "disable_code"),
        ("auto", {"disable_git": True}, "disable_git"),
        ("auto", {"save_code": False}, "save_code=False"),
    ],
)
def test_cells_are_source_and_not_stored_where_that_is_not(
    tmp_path: Path, choice: str, settings: dict[str, bool], part: str
) -> None:
    told = _notebook(tmp_path, FakeShell("init()", failed={}), choice, **settings)
    assert part in str(told)
    assert list(tmp_path.iterdir()) == []


def test_cells_that_are_kept_local_never_lie_in_the_runs_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    shell = FakeShell("init()", failed={})
    notebook = _notebook(tmp_path / "capsule", shell, "local")
    assert isinstance(notebook, Notebook)
    notebook.file()
    shell.execute("fit()")
    file = notebook.file()
    assert file.kept == "local"
    assert not (tmp_path / "capsule").exists()
    assert len(read_cells(Capsule(tmp_path / "capsule"), file).cells) == 2
    assert len(list((tmp_path / "data").rglob("*.json"))) == 1


def test_a_script_is_no_notebook(tmp_path: Path) -> None:
    assert str(_notebook(tmp_path, None)) == "not a notebook"
