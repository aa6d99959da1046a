"""The files of a folder."""

from __future__ import annotations

import os
from pathlib import Path

from wandb_repro.capture.outputs.output_folder import files_below


def test_files_are_found_at_any_depth_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "a/b").mkdir(parents=True)
    (tmp_path / "a/b/c.txt").touch()
    (tmp_path / "link").symlink_to(tmp_path)
    (tmp_path / "linked.txt").symlink_to(tmp_path / "a/b/c.txt")
    os.mkfifo(tmp_path / "pipe")
    found = dict(files_below(tmp_path))
    assert set(found) == {"a/b/c.txt", "linked.txt", "pipe"}
    assert found["a/b/c.txt"] == tmp_path / "a/b/c.txt"


def test_a_file_stands_for_itself(tmp_path: Path) -> None:
    (tmp_path / "m.keras").touch()
    assert list(files_below(tmp_path / "m.keras")) == [("m.keras", tmp_path / "m.keras")]
    assert list(files_below(tmp_path / "gone")) == [("gone", tmp_path / "gone")]
