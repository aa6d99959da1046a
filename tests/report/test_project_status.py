"""The table of ``audit``: the answer, a line for each run, and what to fix first."""

from __future__ import annotations

from typing import Any

from tests.support.terminal import on_paper
from wandb_repro.report.project_status import project_status_data, project_status_text
from wandb_repro.verify.finding import Effect, Finding, Kind, about_one_run
from wandb_repro.verify.project_status import RunStatus

GOOD: dict[str, Any] = {
    "run": "ada/digits/one",
    "id": "one",
    "name": "",
    "state": "finished",
    "recorded": True,
    "unread": "",
    "repeatable": True,
    "rerun_of": "",
    "verdict": "",
    "attempts": {},
    "broken": {},
    "findings": (),
}


def run(name: str = "one", **fields: Any) -> RunStatus:
    return RunStatus.model_validate({**GOOD, "id": name, "run": f"ada/digits/{name}", **fields})


def lines_of(*runs: RunStatus, rules: tuple[str, ...] = (), total: int = 0) -> list[str]:
    text = on_paper(project_status_text("ada/digits", runs, rules, total or len(runs)), width=120)
    return text.splitlines()


def row_of(status: RunStatus) -> list[str]:
    (row,) = (line for line in lines_of(status)[4:] if f" {status.id} " in line)
    return [column for column in row.split("  ") if column]


def finding(fact: str, effect: Effect, kind: Kind = "code") -> Finding:
    return about_one_run(kind, fact, "", effect, f"The {fact} is lost", "mend it")


def test_the_answer_counts_broken_rules_before_runs_that_could_not_be_read() -> None:
    broken = run(broken={"seed": "none"})
    unread = run("two", unread="cut off", repeatable=None)

    assert lines_of(broken, unread, rules=("seed",))[0] == "1 run breaks a rule  rules: seed"
    assert lines_of(unread, rules=("seed",))[0] == "1 run could not be read"
    assert lines_of(run(), rules=("seed",))[0] == "every run keeps the rules  seed"
    assert lines_of(run())[0].startswith("no rules set")


def test_the_counts_tell_reruns_from_originals_and_the_newest_from_all() -> None:
    runs = run(attempts={"x": "identical"}), run("two", rerun_of="ada/digits/one")

    assert lines_of(*runs, total=240)[1].split(": ")[1] == (
        "240 runs, the newest 2 read, 2 repeatable, 1 reproduced, 1 rerun"
    )


def test_a_row_says_whether_it_is_repeatable_and_how_often_it_was_reproduced() -> None:
    attempts = {"x": "identical", "y": "diverged"}

    assert row_of(run(attempts=attempts)) == ["✓ one", "yes", " 1 of 2", "nothing"]
    assert row_of(run(repeatable=False))[0:3] == ["! one", "no", "never"]


def test_a_row_of_a_run_without_a_record_says_what_is_missing() -> None:
    *_, plain = row_of(run(recorded=False, repeatable=False))
    mark, *_, unread = row_of(run(unread="cut off", repeatable=None))

    assert plain.strip() == "a record: it ran without wandb_repro"
    assert (mark.split()[0], unread.strip()) == ("?", "could not be read: cut off")


def test_what_is_missing_is_named_once_and_what_only_explains_is_left_out() -> None:
    found = (finding("tree", "stops"), finding("tree", "stops"), finding("host", "explains"))

    *_, missing = row_of(run(findings=found, broken={"pushed": "no"}))

    assert missing.strip() == "pushed, tree"


def test_the_most_severe_lack_is_fixed_first_and_at_most_five_are_listed() -> None:
    many = [finding(f"fact {number}", "may change bits") for number in range(8)]
    runs = run(findings=(*many, finding("bundle", "stops"))), run("two", findings=tuple(many[3:4]))

    fixes = lines_of(*runs)[lines_of(*runs).index("Fix first") + 1 :]

    sentences = [line.strip() for line in fixes if "×" in line]
    assert sentences[:2] == ["1×  The bundle is lost", "2×  The fact 3 is lost"]
    assert len(sentences) == 5


def test_a_broken_rule_is_listed_with_its_cure_and_not_again_as_a_finding() -> None:
    found = finding("seed", "changes bits", "seed")
    broken = run(broken={"seed": found.sentence}, findings=(found,))

    lines = lines_of(broken, rules=("seed",))

    assert sum("The seed is lost" in line for line in lines) == 1
    assert any("start runs with wandb_repro.init" in line for line in lines)


def test_a_project_without_runs_has_an_empty_table() -> None:
    assert lines_of()[1].strip() == "ada/digits: 0 runs, 0 repeatable, 0 reproduced"
    assert "Fix first" not in lines_of()


def test_the_same_as_data_has_each_run_with_its_counts() -> None:
    data = project_status_data("ada/digits", [run(attempts={"x": "identical"})], ("seed",), 9)

    assert (data["project"], data["total"], data["rules"]) == ("ada/digits", 9, ["seed"])
    assert (data["runs"][0]["id"], data["runs"][0]["reproduced"]) == ("one", 1)
    assert data["runs"][0]["attempted"] == 1
