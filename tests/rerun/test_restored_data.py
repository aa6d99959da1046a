"""Data that only the restored tree can tell of, and what an artifact holds."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from tests.support.data_records import ARTIFACT, files_at, files_like, sources_of
from wandb_repro.errors import InconclusiveError, RefusedError
from wandb_repro.manifest.data import DataFiles
from wandb_repro.rerun.restored_data import check_restored


def restored(tmp_path: Path, files: DataFiles, holds: Mapping[str, str] | Exception) -> Path:
    """Check a restored tree for data that an artifact holds; return where the tree is."""

    def fetch(version: str, folder: Path) -> Path:
        assert version == ARTIFACT
        if isinstance(holds, Exception):
            raise holds
        return written(folder, holds)

    top = tmp_path / "work" / "tree"
    code = top / "ada" / "digits"
    code.mkdir(parents=True, exist_ok=True)
    downloads = tmp_path / "work" / "downloads"
    check_restored(sources_of(files), code, fetch, within=top, downloads=downloads)
    return code


def written(folder: Path, texts: Mapping[str, str]) -> Path:
    for name, text in texts.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_other_bytes_in_a_version_of_an_artifact_are_not_put_anywhere(tmp_path: Path) -> None:
    with pytest.raises(InconclusiveError, match="as W&B has them now in ada/digits/x:v3") as raised:
        restored(tmp_path, files_at("../x.csv", artifact=ARTIFACT), {"x.csv": "no"})
    assert "not the same here: /home/ada/x.csv (data 'train')" in raised.value.message
    assert not list((tmp_path / "work" / "tree").rglob("x.csv"))


def test_an_artifact_that_cannot_be_had_says_why(tmp_path: Path) -> None:
    lost = OSError("no network.")
    with pytest.raises(RefusedError, match=r"x:v3 cannot be downloaded: no network\.$"):
        restored(tmp_path, files_at("../x.csv", artifact=ARTIFACT), lost)


TEXTS = {"a.csv": "1", "sub/b.csv": "2"}


@pytest.mark.parametrize(
    ("path", "end"),
    [("../x", ""), ("../x/sub/b.csv", "sub/b.csv"), ("../x/sub", "sub"), ("../../c/x", "")],
)
def test_all_of_an_artifact_or_a_part_of_it_is_linked_where_the_script_looks(
    tmp_path: Path, path: str, end: str
) -> None:
    files = files_like(written(tmp_path / "like", TEXTS) / end, path, artifact=ARTIFACT)
    code = restored(tmp_path, files, TEXTS)
    place = code / path
    assert place.is_symlink()
    assert place.resolve().is_relative_to(tmp_path / "work" / "downloads")


def test_data_of_which_the_tree_holds_a_part_is_downloaded_whole(tmp_path: Path) -> None:
    part = tmp_path / "work" / "tree" / "ada" / "digits" / "x"
    written(part, {"a.csv": "1"})
    files = files_like(written(tmp_path / "like", TEXTS), "x", artifact=ARTIFACT)
    assert (restored(tmp_path, files, TEXTS) / "x" / "sub" / "b.csv").read_text() == "2"
    assert part.is_symlink()


def test_what_an_artifact_holds_is_never_put_outside_of_the_new_folder(tmp_path: Path) -> None:
    (tmp_path / "outside").mkdir()
    code = tmp_path / "work" / "tree" / "ada" / "digits"
    code.mkdir(parents=True)
    (code / "data").symlink_to(tmp_path / "outside")
    files = files_like(written(tmp_path / "like", TEXTS), "data/x", artifact=ARTIFACT)
    with pytest.raises(RefusedError, match="outside the new folder"):
        restored(tmp_path, files, TEXTS)
    assert not list((tmp_path / "outside").iterdir())


def test_data_in_the_restored_tree_is_taken_as_it_is(tmp_path: Path) -> None:
    files = files_like(written(tmp_path / "like", TEXTS), "x")
    written(tmp_path / "work" / "tree" / "ada" / "digits" / "x", TEXTS)

    assert not (restored(tmp_path, files, {}) / "x").is_symlink()


def test_data_that_neither_tree_nor_disk_has_is_named(tmp_path: Path) -> None:
    files = files_like(written(tmp_path / "like", TEXTS), "x")

    with pytest.raises(RefusedError, match="not here: /home/ada/digits/x"):
        restored(tmp_path, files, {})


def test_data_that_was_not_looked_at_is_compared_once_the_rerun_is_confirmed(
    tmp_path: Path,
) -> None:
    hidden = tmp_path / ".hidden" / "x.csv"
    hidden.parent.mkdir()
    hidden.write_text("1.5")
    files = files_like(hidden, str(hidden))
    assert [source.state for source in sources_of(files).found] == ["not looked at"]
    restored(tmp_path, files, {})
    hidden.write_text("2.5")
    with pytest.raises(InconclusiveError, match="are not the same here"):
        restored(tmp_path, files, {})
    hidden.unlink()
    with pytest.raises(RefusedError, match="are not here"):
        restored(tmp_path, files, {})
