from __future__ import annotations

import pytest
from rich.table import Table
from rich.text import Text

from wandb_repro.testing.failure import as_text, fail


def test_a_failure_is_the_sentence_and_below_it_the_report() -> None:
    with pytest.raises(AssertionError) as caught:
        fail("The data leaks.", "12 rows\n")
    assert str(caught.value) == "The data leaks.\n\n12 rows\n"


def test_without_a_report_it_is_the_sentence_alone() -> None:
    with pytest.raises(AssertionError) as caught:
        fail("The data leaks.")
    assert str(caught.value) == "The data leaks."


def test_a_report_is_plain_text_of_a_fixed_width(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "300")
    table = Table("a")
    table.add_row(Text("word " * 60, style="bold red"))
    shown = as_text(table)
    assert "\x1b" not in shown
    assert max(map(len, shown.splitlines())) <= 88


def test_an_option_of_the_commands_is_not_recommended_in_a_test() -> None:
    assert as_text("2 more; --json has all") == "2 more\n"
