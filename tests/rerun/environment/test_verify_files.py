"""Installed files are compared with the hashes of their RECORD."""

from __future__ import annotations

from pathlib import Path

import pytest

from wandb_repro.capture.packages.record import record_hash
from wandb_repro.files import sha256_of_bytes
from wandb_repro.rerun.environment.verify_files import unlike_their_wheel


@pytest.fixture
def installed(tmp_path: Path) -> Path:
    """A distribution of 450 files, which are several tasks."""
    rows = ["small-1.0.dist-info/RECORD,,"]
    (tmp_path / "small").mkdir()
    for number in range(450):
        content = f"X = {number}\n".encode()
        path = f"small/m{number}.py"
        (tmp_path / path).write_bytes(content)
        rows.append(f"{path},sha256={record_hash(sha256_of_bytes(content))},{len(content)}")
    (tmp_path / "small-1.0.dist-info").mkdir()
    (tmp_path / "small-1.0.dist-info" / "RECORD").write_text("\n".join(rows) + "\n")
    return tmp_path


def test_files_as_they_were_installed_are_passed_over(installed: Path) -> None:
    assert list(unlike_their_wheel(installed)) == []


def test_a_changed_file_is_named_with_how_to_mend_it(installed: Path) -> None:
    (installed / "small" / "m7.py").write_text("X = 8\n")

    assert list(unlike_their_wheel(installed)) == [
        "small/m7.py is not the file of its wheel; if uv's cache was modified, "
        "run uv cache clean small"
    ]


def test_more_changed_files_and_one_that_is_gone_are_counted(installed: Path) -> None:
    (installed / "small" / "m7.py").write_text("X = 8\n")
    (installed / "small" / "m300.py").unlink()

    (sentence,) = unlike_their_wheel(installed)
    assert sentence.startswith("small/m7.py is not the file of its wheel, nor are 1 more; ")


def test_a_hash_of_another_kind_and_none_say_nothing(installed: Path) -> None:
    record = installed / "small-1.0.dist-info" / "RECORD"
    record.write_text("small/m0.py,md5=abc,1\nsmall/m1.py,,\n")

    assert list(unlike_their_wheel(installed)) == []
