"""The diff that a reviewer reads."""

from __future__ import annotations

from pathlib import Path

from tests.support.repositories import fingerprint, repository
from wandb_repro.capture.source.take_snapshot import take_snapshot
from wandb_repro.capture.source.uncommitted_diff import LIMIT_BYTES, changes

SECRET = "AKIA" + "Z7Q2XW9EUT5LKMN3"


def _changes(folder: Path) -> str:
    with take_snapshot(folder) as snapshot:
        return changes(snapshot)


def test_a_clean_tree_has_none(tmp_path: Path) -> None:
    repository(tmp_path / "code", **{"train.py": "rate = 0.1\n"})

    assert _changes(tmp_path / "code") == ""


def test_a_tree_without_a_commit_has_none(tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text("rate = 0.1\n")

    assert _changes(tmp_path) == ""


def test_edits_new_files_and_files_that_are_gone_are_in_it(tmp_path: Path) -> None:
    code = repository(tmp_path / "code", **{"train.py": "rate = 0.1\n", "old.py": "x = 1\n"})
    code.write("train.py", "rate = 0.2\n")
    code.write("new file.py", "y = 2\n")
    (code.path / "old.py").unlink()

    lines = _changes(code.path).splitlines()

    assert {"-rate = 0.1", "+rate = 0.2", "+y = 2", "-x = 1"} <= set(lines)


def test_it_is_the_same_whatever_the_user_has_set(tmp_path: Path) -> None:
    code = repository(tmp_path / "code", **{"train.py": "rate = 0.1\n"})
    code.write("train.py", "rate = 0.2\n")
    plain = _changes(code.path)
    code.write(".gitattributes", "*.py diff=mine\n")
    for name, value in (
        ("color.ui", "always"),
        ("diff.noprefix", "true"),
        ("diff.external", f"touch {tmp_path}/ran"),
        ("diff.mine.textconv", f"touch {tmp_path}/ran; cat"),
    ):
        code.git("config", name, value)
    before = fingerprint(code.path)

    assert plain in _changes(code.path)
    assert not (tmp_path / "ran").exists()
    assert fingerprint(code.path) == before


def test_a_credential_that_was_removed_is_not_told(tmp_path: Path) -> None:
    code = repository(tmp_path / "code", **{"train.py": f"api_key = '{SECRET}'\n"})
    code.write("train.py", "api_key = None\n")

    assert SECRET not in _changes(code.path)


def test_a_file_that_is_left_out_as_a_secret_is_not_in_it(tmp_path: Path) -> None:
    code = repository(tmp_path / "code", **{".env": "TOKEN=abc\n", "train.py": "x = 1\n"})
    code.write(".env", "TOKEN=def\n")
    code.write("train.py", "x = 2\n")

    assert "TOKEN" not in _changes(code.path)


def test_a_huge_one_is_cut_at_a_line_and_says_so(tmp_path: Path) -> None:
    code = repository(tmp_path / "code", **{"train.py": "x = 1\n"})
    code.write("notes.txt", "a line of notes\n" * 50_000)

    text = _changes(code.path)

    assert len(text) < LIMIT_BYTES + 100
    assert text.splitlines()[-2] == "+a line of notes"
    assert text.splitlines()[-1].startswith("... and more")


def test_a_name_that_is_an_option_or_a_pattern_is_a_name(tmp_path: Path) -> None:
    code = repository(tmp_path / "code", **{"train.py": "x = 1\n", "other.py": "z = 1\n"})
    code.write("--output=owned", "y = 2\n")
    code.write(":(exclude)*", "w = 3\n")

    text = _changes(code.path)

    assert "+y = 2" in text
    assert "+w = 3" in text
    assert "z = 1" not in text
