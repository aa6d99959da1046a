"""Threads have the same names in a rerun, whichever of them is first."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from wandb_repro.recording.process_state import process
from wandb_repro.recording.watch_creation import watch_creation
from wandb_repro.state.thread_order import OTHER, OWN, ThreadOrder, ThreadPlace


@pytest.fixture
def order() -> Iterator[ThreadOrder]:
    watch_creation()
    order = process.registry.threads
    order.begin_run()
    yield order
    order.begin_run()


class Seen:
    """Names of the threads that called ``look``."""

    def __init__(self, order: ThreadOrder) -> None:
        self._order = order
        self.names: list[str] = []

    def look(self, first: Callable[[], object] = lambda: None) -> None:
        first()
        self.names.append(str(self._order.current()).replace(f"{__name__}.", ""))


def ran(*threads: threading.Thread) -> None:
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_a_thread_is_named_by_what_it_runs_and_when_it_was_started(order: ThreadOrder) -> None:
    seen, second_is_done = Seen(order), threading.Event()

    def train(*, waits: bool) -> None:
        if waits:
            second_is_done.wait(10)
        seen.look()
        second_is_done.set()

    ran(*(threading.Thread(target=train, kwargs={"waits": waits}) for waits in (True, False)))

    assert [name.rpartition(".")[2] for name in seen.names] == ["train#2", "train#1"]
    assert order.current() == OWN


def test_threads_that_run_something_else_are_counted_apart(order: ThreadOrder) -> None:
    seen = Seen(order)
    ran(threading.Thread(target=time_out))
    ran(threading.Thread(target=functools.partial(seen.look)))

    assert seen.names == ["Seen.look#1"]


def time_out() -> None:
    """Stand for a thread that another package starts, in one of two runs."""


def test_a_thread_of_a_thread_is_named_by_both(order: ThreadOrder) -> None:
    seen = Seen(order)

    def outer() -> None:
        ran(threading.Thread(target=seen.look))

    ran(threading.Thread(target=outer))

    assert [name.rpartition(".")[2] for name in seen.names] == ["look#1"]
    assert "outer#1/" in seen.names[0]


def test_a_subclass_is_named_by_its_class(order: ThreadOrder) -> None:
    seen = Seen(order)

    class Trainer(threading.Thread):
        def run(self) -> None:
            seen.look()

    ran(Trainer())

    assert seen.names[0].endswith("Trainer#1")


def test_nothing_is_known_of_the_threads_of_a_pool_and_of_those_they_start(
    order: ThreadOrder,
) -> None:
    seen = Seen(order)
    with ThreadPoolExecutor(1) as pool:
        pool.submit(seen.look).result()
        pool.submit(lambda: ran(threading.Thread(target=seen.look))).result()

    assert seen.names == [str(OTHER), str(OTHER)]


def test_a_thread_from_before_the_run_is_not_known_and_the_others_count_from_1(
    order: ThreadOrder,
) -> None:
    seen, begun = Seen(order), threading.Event()
    early = threading.Thread(target=seen.look, args=(lambda: begun.wait(10),))
    early.start()
    order.begin_run()
    begun.set()
    early.join()
    ran(threading.Thread(target=seen.look))

    assert seen.names == [str(OTHER), "Seen.look#1"]


def test_the_thread_that_begins_the_run_is_its_own(order: ThreadOrder) -> None:
    seen = Seen(order)
    ran(threading.Thread(target=seen.look, args=(order.begin_run,)))

    assert seen.names == [""]
    assert str(order.current()) == "main thread#1"


def test_the_runs_own_thread_is_the_first_and_unknown_ones_the_last() -> None:
    places = [OTHER, ThreadPlace(path=(("b", 10),)), ThreadPlace(path=(("b", 2),)), OWN]

    assert sorted(places) == places[::-1]


def test_a_name_ends_neither_a_label_nor_a_place(order: ThreadOrder) -> None:
    seen = Seen(order)
    odd = type("Odd: a/b", (threading.Thread,), {})
    ran(odd(target=seen.look))

    assert seen.names[0].endswith("Odd_ a_b#1")
