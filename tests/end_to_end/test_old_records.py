"""Records that earlier releases made are shown, checked, compared and rerun."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.recorded import Ask

CAPSULES = Path(__file__).parents[1] / "data" / "capsules"
RELEASES = sorted(folder.name for folder in CAPSULES.iterdir() if folder.is_dir())

pytestmark = pytest.mark.parametrize("release", RELEASES)


def test_it_is_shown_whole(release: str, tmp_path: Path, ask: Ask) -> None:
    answer = ask("show", CAPSULES / release / "first", "--json", cwd=tmp_path)

    assert answer.code == 0, answer.error
    shown = answer.data["manifest"]
    assert shown["execution"]["command"]["arguments"] == ["42"]
    assert shown["execution"]["code"]["git"]["changed"] == ["network.py"]
    assert shown["ending"]["status"] == "finished"


def test_check_names_its_missing_wheel_and_nothing_else_that_blocks(
    release: str, tmp_path: Path, ask: Ask
) -> None:
    run = CAPSULES / release / "first"

    rebuilt = ask("check", run, "--json", cwd=tmp_path)
    here = ask("check", run, "--env", "here", "--json", cwd=tmp_path)

    blocking = [it["sentence"] for it in rebuilt.data["findings"] if it["effect"] == "stops"]
    assert len(blocking) == 1
    assert f"wandb_repro-{release}-py3-none-any.whl" in blocking[0]
    assert "stops" not in [finding["effect"] for finding in here.data["findings"]]


def test_a_diff_of_two_names_the_seed(release: str, tmp_path: Path, ask: Ask) -> None:
    one, two = (CAPSULES / release / name for name in ("first", "other-seed"))

    answer = ask("diff", one, two, "--json", cwd=tmp_path)

    assert answer.code == 1
    facts = {(it["fact"], it["original"], it["here"]) for it in answer.data}
    assert ("seed", "42", "43") in facts


def test_two_that_are_equal_are_identical(release: str, tmp_path: Path, ask: Ask) -> None:
    one, two = (CAPSULES / release / name for name in ("first", "again"))

    answer = ask("verify", one, two, "--json", cwd=tmp_path)

    assert (answer.code, answer.data["grade"]) == (0, "identical")
    assert answer.data["moments"] == 8


def test_another_seed_is_named_as_the_likeliest_cause(
    release: str, tmp_path: Path, ask: Ask
) -> None:
    one, two = (CAPSULES / release / name for name in ("first", "other-seed"))

    answer = ask("verify", one, two, "--json", cwd=tmp_path)

    assert (answer.code, answer.data["grade"]) == (1, "diverged")
    assert answer.data["first"]["moment"] == "initial"
    assert answer.data["causes"][0]["fact"] == "seed"


@pytest.mark.slow
def test_it_is_rerun_here_and_is_identical(release: str, tmp_path: Path, ask: Ask) -> None:
    run = CAPSULES / release / "first"

    answer = ask("rerun", run, "--env", "here", "--yes", "--json", cwd=tmp_path)

    assert answer.code == 0, answer.error
    assert (answer.data["grade"], answer.data["moments"]) == ("identical", 8)
