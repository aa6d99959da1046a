"""Headings, rows and lists of a text report."""

from __future__ import annotations

from typing import get_args

from tests.support.terminal import on_paper, on_terminal
from wandb_repro.report.layout import STYLES, blank, bullets, heading, listing, more, page, rows
from wandb_repro.verify.finding import Effect


def test_a_heading_is_a_word_and_what_it_is_about() -> None:
    assert heading("rerun", "ada/digits/a1").plain == "rerun  ada/digits/a1"
    assert heading("no difference").plain == "no difference"


def test_a_row_without_a_value_is_left_out() -> None:
    text = on_paper(page(rows([("seed", "7"), ("notebook", ""), ("", "and 2 more")])))

    assert [line.split() for line in text.splitlines()] == [["seed", "7"], ["and", "2", "more"]]


def test_names_of_rows_are_aligned_and_a_long_value_is_folded() -> None:
    first, *folded = on_paper(page(rows([("seed", "7" * 70)])), width=40).splitlines()

    assert first.index("7") == 18
    assert all(line.startswith(" " * 18) for line in folded)
    assert sum(line.count("7") for line in (first, *folded)) == 70


def test_a_bullet_has_its_cure_on_the_line_below() -> None:
    text = on_paper(page(bullets([("-", "It came late", "call init first"), ("-", "Alone", "")])))

    assert text.splitlines() == ["  -  It came late", "     → call init first", "  -  Alone"]


def test_a_list_without_entries_has_no_heading_either() -> None:
    assert list(listing("Why", [])) == []

    text = on_paper(page(*listing("Why", [("-", "It broke", "mend it")], rest="once")))
    assert text.split("\n")[:4] == ["", "Why  once", "  -  It broke", "     → mend it"]


def test_only_entries_that_are_hidden_are_counted() -> None:
    assert list(more(0)) == []
    assert list(more(-3)) == []
    assert "and 1,200 less likely; --json has all" in on_paper(page(*more(1200, "less likely")))


def test_a_page_has_no_blanks_at_the_ends_of_its_lines() -> None:
    parts = page(heading("a"), blank(), rows([("b", "c")]), bullets([("-", "d", "")]))

    assert "" in on_paper(parts).splitlines()
    for text in (on_paper(parts), on_terminal(parts)):
        assert all(line == line.rstrip() for line in text.splitlines())


def test_control_characters_never_reach_the_terminal() -> None:
    text = on_paper(page(heading("\x1b[2J"), rows([("\x07", "\r")]), bullets([("-", "\x9b", "")])))

    assert {"\x1b", "\x07", "\r", "\x9b"}.isdisjoint(text)


def test_every_effect_has_a_style() -> None:
    assert set(get_args(Effect)) <= STYLES.keys()
