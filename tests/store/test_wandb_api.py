"""What wandb raises becomes one error of ours that says what to do."""

from __future__ import annotations

import socket
from typing import cast

import pytest

from wandb_repro.errors import NotFoundError, RefusedError, StoreError
from wandb_repro.store.wandb_api import Api, connect, find_run, translated

SERVER = "https://wandb.example"


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (ValueError("no such thing.\nand more"), "did not answer: no such thing."),
        (KeyError(), "did not answer: KeyError."),
        (OSError("x" * 1000), f"did not answer: {'x' * 300}."),
    ],
)
def test_whatever_wandb_raises_is_one_error(error: Exception, sentence: str) -> None:
    with pytest.raises(StoreError) as caught, translated(SERVER):
        raise error
    assert caught.value.message == f"W&B at {SERVER} {sentence}"
    assert caught.value.__cause__ is error
    assert "wandb login" in caught.value.hint


def test_an_error_of_ours_stays_as_it_is() -> None:
    ours = RefusedError("too large")
    with pytest.raises(RefusedError) as caught, translated(SERVER):
        raise ours
    assert caught.value is ours


class Runs:
    """An ``Api`` that answers with an error, or with a run."""

    def __init__(self, answer: Exception | str) -> None:
        self.answer = answer

    def run(self, _path: str, /) -> str:
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_a_run_is_returned_as_the_api_gives_it() -> None:
    assert cast("str", find_run(cast("Api", Runs("the run")), "a/b/c", SERVER)) == "the run"


def test_a_run_that_is_not_there_is_not_found() -> None:
    api = cast("Api", Runs(ValueError("Could not find run <Run a/b/c>")))
    with pytest.raises(NotFoundError, match=r"no run a/b/c at https://wandb\.example"):
        find_run(api, "a/b/c", SERVER)


def test_another_fault_is_no_missing_run() -> None:
    with pytest.raises(StoreError, match="502 Bad Gateway"):
        find_run(cast("Api", Runs(ValueError("502 Bad Gateway"))), "a/b/c", SERVER)


def test_where_nobody_listens_is_said_at_once() -> None:
    with socket.socket() as nobody:
        nobody.bind(("127.0.0.1", 0))
        address = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        with pytest.raises(StoreError, match=f"W&B at {address} did not answer"):
            connect(address)
