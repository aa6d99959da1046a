from __future__ import annotations

from collections.abc import Iterator

import pytest

from wandb_repro.testing import pytest_options


@pytest.fixture(autouse=True)
def own_session() -> Iterator[None]:
    pytest_options.begin(update=True)
    yield
    pytest_options.end()


def test_files_are_listed_in_the_order_in_which_they_were_written() -> None:
    pytest_options.wrote("b.json")
    pytest_options.wrote("a.json")
    assert pytest_options.written() == ("b.json", "a.json")


def test_a_pytest_inside_another_has_options_and_files_of_its_own() -> None:
    pytest_options.wrote("outer.json")
    pytest_options.begin(update=False)
    assert not pytest_options.update()
    assert pytest_options.written() == ()
    pytest_options.end()
    assert pytest_options.update()
    assert pytest_options.written() == ("outer.json",)


def test_without_any_pytest_nothing_is_to_be_written() -> None:
    for _ in range(3):
        pytest_options.end()  # once more than was begun
    assert not pytest_options.update()
    pytest_options.begin(update=True)
