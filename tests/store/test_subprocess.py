from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from wandb_repro.errors import NotFoundError, RefusedError, ReproError, StoreError
from wandb_repro.store.subprocess import run_apart


def _add(left: int, right: int) -> int:
    os.environ["SET_APART"] = "1"
    return left + right


def _not_found() -> None:
    raise NotFoundError("There is none.", hint="Look elsewhere.")


def _crash() -> None:
    sys.stderr.write("first\nwhat went wrong\n")
    sys.stderr.flush()
    os._exit(7)


def _stand_still() -> None:
    time.sleep(60)


def _fill(folder: Path) -> None:
    (folder / "part.bin").write_bytes(bytes(2000))
    time.sleep(60)


def _limit(name: str) -> int:
    return 1000 if name == "part.bin" else 1_000_000


def test_the_answer_comes_back_and_the_caller_is_unchanged(tmp_path: Path) -> None:
    assert run_apart(_add, 1, 2, scratch=tmp_path, limit=_limit, stall_s=30) == 3
    assert "SET_APART" not in os.environ


@pytest.mark.parametrize(
    ("task", "stall_s", "error", "told"),
    [
        (_not_found, 30, NotFoundError, "There is none."),
        (_crash, 30, StoreError, "what went wrong"),
        (_stand_still, 1, StoreError, "sent nothing for 1 s"),
    ],
)
def test_an_end_without_an_answer_is_one_of_our_errors(
    task: Callable[[], None], stall_s: float, error: type[ReproError], told: str, tmp_path: Path
) -> None:
    with pytest.raises(error, match=told):
        run_apart(task, scratch=tmp_path, limit=_limit, stall_s=stall_s)


def test_the_hint_of_an_error_comes_back(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError) as caught:
        run_apart(_not_found, scratch=tmp_path, limit=_limit, stall_s=30)
    assert caught.value.hint == "Look elsewhere."


def test_a_file_that_grows_beyond_its_limit_ends_it(tmp_path: Path) -> None:
    started = time.monotonic()
    with pytest.raises(RefusedError, match=r"more bytes for part\.bin"):
        run_apart(_fill, tmp_path, scratch=tmp_path, limit=_limit, stall_s=30)
    assert time.monotonic() - started < 20


def _count(tell: Callable[[int], None], last: int) -> str:
    for number in range(last):
        tell(number)
        time.sleep(0.5)
    return "done"


def test_words_on_the_way_arrive_before_its_answer_and_in_order(tmp_path: Path) -> None:
    heard: list[int] = []

    answer = run_apart(_count, 3, scratch=tmp_path, limit=_limit, stall_s=10, progress=heard.append)

    assert answer == "done"
    assert heard == [0, 1, 2]
