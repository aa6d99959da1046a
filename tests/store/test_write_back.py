"""What a rerun writes on its original, with a W&B of which only one run is there."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Generator, Iterable
from pathlib import Path
from types import SimpleNamespace

import pytest

from wandb_repro.errors import RefusedError, StoreError
from wandb_repro.store import write_back
from wandb_repro.store.write_back import note_attempt


class Summary:
    """A run's summary on the server, from which others may take what we wrote."""

    def __init__(self, lost: int = 0) -> None:
        self.values: dict[str, str] = {}
        self.lost = lost
        """How many of our writes somebody else writes away."""

    def items(self) -> Iterable[tuple[str, object]]:
        return self.values.items()

    def update(self, values: dict[str, str], /) -> None:
        if self.lost:
            self.lost -= 1
        else:
            self.values.update(values)


def nothing(_: object) -> None:
    """Stand in for what need not be done here."""


@pytest.fixture
def note(monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Give ``note_attempt`` for a run with this summary and state, in this process."""

    def in_process(task: Callable[..., str], *arguments: object, **_: object) -> str:
        return task(*arguments)

    @contextlib.contextmanager
    def configured(_: Path) -> Generator[tuple[str, str]]:
        yield "https://api.example", "https://pages.example"

    def noted(summary: Summary, rerun: str = "r1", state: str = "finished") -> str:
        run = SimpleNamespace(summary=summary, state=state)

        def found(*_: object) -> SimpleNamespace:
            return run

        monkeypatch.setattr(write_back, "run_apart", in_process)
        monkeypatch.setattr(write_back, "configured", configured)
        monkeypatch.setattr(write_back, "connect", nothing)
        monkeypatch.setattr(write_back, "find_run", found)
        monkeypatch.setattr(time, "sleep", nothing)
        return note_attempt("ada/digits/x", rerun, "identical, same machine", ", ".join)

    return noted


def test_an_attempt_and_the_line_over_all_are_written(note: Callable[..., str]) -> None:
    summary = Summary()
    summary.values = {"repro/rerun/r0": "diverged, other GPU", "loss": "1"}

    line = note(summary)

    assert line == "diverged, other GPU, identical, same machine"
    assert summary.values == {
        "repro/rerun/r0": "diverged, other GPU",
        "repro/rerun/r1": "identical, same machine",
        "repro/reproduced": line,
        "loss": "1",
    }


def test_what_somebody_wrote_away_is_written_again(note: Callable[..., str]) -> None:
    summary = Summary(lost=3)

    assert note(summary) == "identical, same machine"
    assert summary.values["repro/rerun/r1"] == "identical, same machine"


def test_who_never_gets_a_word_in_gives_up(note: Callable[..., str]) -> None:
    with pytest.raises(StoreError, match="Somebody else is writing"):
        note(Summary(lost=100))


def test_a_run_that_still_trains_is_left_alone(note: Callable[..., str]) -> None:
    summary = Summary()

    with pytest.raises(RefusedError, match="still running"):
        note(summary, state="running")
    assert summary.values == {}
