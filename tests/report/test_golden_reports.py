"""Every report: the text people read, at 80 columns, from records that may be hostile."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from typing import get_args

import pytest
from rich.console import RenderableType

from tests.report.reports import REPORTS, hostile
from tests.support.golden import DATA, Golden
from tests.support.terminal import cell_len, on_paper, on_terminal
from wandb_repro.report.differences import ORDER
from wandb_repro.verify.finding import Kind

Report = Callable[[], RenderableType]
each = pytest.mark.parametrize("report", REPORTS.values(), ids=REPORTS)


@pytest.mark.parametrize("name", REPORTS)
def test_a_report_reads_like_its_golden_text(name: str, golden: Golden) -> None:
    golden.check(f"{name}.txt", on_paper(REPORTS[name]()))


@each
@pytest.mark.parametrize("width", [40, 80, 120])
def test_no_line_is_wider_than_the_terminal(report: Report, width: int) -> None:
    assert max(map(cell_len, on_paper(report(), width).splitlines())) <= width


@each
def test_no_line_ends_in_blanks(report: Report) -> None:
    for text in (on_paper(report()), on_terminal(report())):
        assert [line for line in text.splitlines() if line != line.rstrip()] == []


@each
def test_on_paper_there_are_no_escape_codes(report: Report) -> None:
    assert "\x1b" not in on_paper(report())


@each
def test_colours_say_nothing_that_the_words_do_not(report: Report) -> None:
    coloured = on_terminal(report())

    assert "\x1b[" in coloured
    assert coloured.count("\n") == on_paper(report()).count("\n")


HOSTILE = {
    "a terminal's title": "\x1b]0;owned\x07",
    "colour": "\x1b[31mred",
    "a C1 code": "\x9b31m",
    "back to the line's start": "fine\r\x1b[2Kevil",
    "another direction": "\u202egpj.exe\u2066",
    "what cannot be seen": "a\u200bb\ufeffc\u00ad",
    "lines": "a\nb\u2028c\u2029d\x0be\x85f",
    "markup of rich": "[bold]x[/bold] [link=https://evil.example]y[/link]",
    "a long word": "x" * 5000,
    "wide letters": "漢字" * 100,
    "blanks": " " * 300,
    "nothing": "",
}


@pytest.mark.parametrize("text", HOSTILE.values(), ids=HOSTILE)
def test_a_hostile_record_moves_no_cursor(text: str) -> None:
    for report in hostile(text):
        printed = on_paper(report)
        kinds = {unicodedata.category(letter) for letter in printed if letter != "\n"}
        assert not kinds & {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
        assert max(map(cell_len, printed.splitlines())) <= 80


def test_markup_in_a_record_is_text() -> None:
    assert "[bold]x[/bold]" in on_paper(hostile(HOSTILE["markup of rich"])[0])


def test_a_long_value_is_folded_and_whole() -> None:
    printed = on_paper(hostile("y" * 300)[0])

    assert "y" * 62 in printed
    assert "..." not in printed.split("Run\n")[1].split("recorded")[0]


def test_a_very_long_value_is_cut() -> None:
    assert len(on_paper(hostile("z" * 100_000)[0])) < 120_000


def test_many_packages_are_one_line_until_each_is_asked_for() -> None:
    short = (DATA / "reports" / "diff-many.txt").read_text()
    whole = (DATA / "reports" / "diff-many-all.txt").read_text()

    assert "12 packages differ" in short
    assert "package-9-of-a-team" not in short
    assert "config.lr" in short
    assert short.index("intra-op") < short.index("config.lr") < short.index("12 packages")
    assert short.index("12 packages") < short.index("kernel")
    assert whole.count("-of-a-team ") == 12


def test_every_kind_of_difference_has_its_place() -> None:
    assert set(get_args(Kind)) == set(ORDER)
