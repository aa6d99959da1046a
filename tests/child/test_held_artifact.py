"""What a script holds after it logged an artifact in a rerun gives back what was added to it."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from wandb_repro.child.held_artifact import as_logged

if TYPE_CHECKING:
    import wandb


@pytest.fixture
def held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> wandb.Artifact:
    """Give an artifact of two files, one in a folder, as a rerun gives it after it was logged."""
    import wandb

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("WANDB_DATA_DIR", str(tmp_path / "staging"))
    made = tmp_path / "made"
    (made / "sub").mkdir(parents=True)
    (made / "a.csv").write_text("1")
    (made / "sub" / "b.csv").write_text("2")
    artifact = wandb.Artifact("numbers", "dataset")
    artifact.add_dir(str(made))
    (made / "a.csv").write_text("other since")
    return as_logged(artifact, SimpleNamespace(entity="ada", project="digits"))


def texts(folder: str | Path) -> dict[str, str]:
    found = (path for path in Path(folder).rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): path.read_text() for path in found}


def test_it_is_downloaded_where_a_logged_one_would_be(held: wandb.Artifact, tmp_path: Path) -> None:
    folder = held.download()
    assert folder == str(tmp_path / "artifacts" / "numbers:v0")
    assert texts(folder) == {"a.csv": "1", "sub/b.csv": "2"}


def test_a_part_of_it_is_downloaded_where_the_script_says(held: wandb.Artifact) -> None:
    assert held.download("there", path_prefix="sub/") == "there"
    assert texts("there") == {"sub/b.csv": "2"}
