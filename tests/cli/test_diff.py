from __future__ import annotations

from pathlib import Path

from tests.support.recorded import Ask, Project, with_manifest


def test_a_run_does_not_differ_from_itself(numbers: Project, ask: Ask) -> None:
    answer = ask("diff", "latest", numbers.run_folder, cwd=numbers.folder)
    assert answer.code == 0
    assert answer.text.startswith("no difference")


def test_what_changes_bits_comes_first(numbers: Project, tmp_path: Path, ask: Ask) -> None:
    other = numbers.copy(tmp_path / "other")
    with_manifest(
        other,
        {"description.machine.hostname": "elsewhere", "description.runtime.intra_op_threads": 77},
    )
    words = ("diff", numbers.run_folder, other.run_folder)
    answer = ask(*words, cwd=tmp_path)
    assert answer.code == 1
    assert "77" in answer.text
    data = ask(*words, "--json", cwd=tmp_path).data
    assert "77" in data[0]["here"]
    assert data[0]["effect"] == "changes bits"


def test_a_run_that_is_not_there_is_wrong_use(numbers: Project, tmp_path: Path, ask: Ask) -> None:
    answer = ask("diff", numbers.run_folder, "./gone", cwd=tmp_path)
    assert answer.code == 2
    assert "There is no folder ./gone" in answer.error
