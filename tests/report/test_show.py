"""The text of ``show``: the answer first, then every section."""

from __future__ import annotations

from tests.support.records import full_manifest, trail
from tests.support.terminal import on_paper
from wandb_repro.report.record_sections import sections
from wandb_repro.report.show import record_text
from wandb_repro.verify.finding import Finding, about_one_run

LATE = about_one_run("seed", "seed", "7", "changes bits", "The seed came late", "call init first")
HOST = about_one_run("machine", "host", "a", "explains", "The host is unknown", "")


def text_of(*findings: Finding) -> str:
    return on_paper(record_text("ada/digits/a1", full_manifest(), trail(), findings))


def test_the_name_and_the_answer_come_first() -> None:
    name, answer, *_ = text_of().splitlines()

    assert name == "ada/digits/a1"
    assert answer.endswith("can be rerun from what was recorded.")


def test_findings_are_listed_with_their_cures_before_the_record_the_worst_first() -> None:
    text = text_of(HOST, LATE)

    parts = ["The seed came late", "→ call init first", "The host is unknown"]
    parts.append(f"\n{next(iter(sections(full_manifest(), trail()))).title}\n")
    places = [text.index(part) for part in parts]
    assert places == sorted(places)


def test_every_section_of_the_record_has_its_title_in_order() -> None:
    text = text_of()

    titles = [section.title for section in sections(full_manifest(), trail())]
    places = [text.index(f"\n{title}\n") for title in titles]
    assert len(titles) > 3
    assert places == sorted(places)
