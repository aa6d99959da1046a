"""Files are read once, into records of bounded size."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wandb_repro.capture.outputs.output_budget import OutputBudget
from wandb_repro.manifest.base import Unavailable
from wandb_repro.recording import output_reader
from wandb_repro.recording.output_reader import OutputReader

W = np.arange(6, dtype="f4")


def test_a_file_that_has_not_changed_is_read_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, link = tmp_path / "m.h5", tmp_path / "link.h5"
    path.write_bytes(b"x")
    link.symlink_to(path)
    read: list[Path] = []
    real = output_reader.digest_output

    def counted(path: Path, budget: Any) -> Any:
        read.append(path)
        return real(path, budget)

    monkeypatch.setattr(output_reader, "digest_output", counted)
    reader, budget = OutputReader(), OutputBudget()
    one = reader.file(path, budget, place="run", path="m.h5")
    assert reader.file(link, budget, place="run", path="m.h5") == one
    path.write_bytes(b"xy")
    assert reader.file(path, budget, place="run", path="m.h5") != one
    assert read == [path, path]


def test_the_parts_of_a_run_are_bounded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output_reader, "_MOST_PARTS", 5)
    monkeypatch.setattr(output_reader, "_MOST_PARTS_OF_RUN", 6)
    reader, kept = OutputReader(), list[int]()
    for name, count in (("a", 6), ("b", 4), ("c", 4)):
        np.savez(tmp_path / f"{name}.npz", *[W] * count)
        file = reader.file(tmp_path / f"{name}.npz", OutputBudget(), place="run", path=name)
        kept.append(len(file.parts))
    assert kept == [0, 4, 0]


def test_a_file_that_cannot_be_read_has_a_reason(tmp_path: Path) -> None:
    file = OutputReader().file(tmp_path / "gone", OutputBudget(), place="run", path="gone")
    assert file.digest == Unavailable(unavailable="it was deleted")


def test_a_folder_with_such_a_file_names_it(tmp_path: Path) -> None:
    files = [("gone", tmp_path / "gone")]
    folder = OutputReader().folder(files, OutputBudget(), place="artifact", path="")
    assert folder.digest == Unavailable(unavailable="gone: it was deleted")
