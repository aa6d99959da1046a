from __future__ import annotations

from wandb_repro.recording.fit.batch_queue import BatchQueue


def queue_of(*numbers: int) -> BatchQueue[str]:
    queue: BatchQueue[str] = BatchQueue()
    add(queue, "first", *numbers)
    return queue


def add(queue: BatchQueue[str], iterator: str, *numbers: int) -> None:
    for number in numbers:
        queue.add(number, lambda number=number: f"{iterator} {number}")


def test_batches_come_out_in_the_order_in_which_they_were_made() -> None:
    queue = queue_of(0, 1, 2)
    assert [queue.next() for _ in range(4)] == ["first 0", "first 1", "first 2", None]


def test_what_was_made_for_an_epoch_that_ended_is_dropped() -> None:
    queue = queue_of(0, 1, 2)
    trained_on = [queue.next(), queue.next()]
    queue.begin_epoch()
    add(queue, "second", 0)
    assert trained_on == ["first 0", "first 1"]
    assert [queue.next(), queue.next()] == ["second 0", None]


def test_an_iterator_that_runs_on_after_the_next_one_began_adds_nothing() -> None:
    queue = queue_of(0, 1)
    add(queue, "second", 0)
    add(queue, "first", 2)
    queue.begin_epoch()
    assert [queue.next(), queue.next()] == ["second 0", None]


def test_an_endless_iterator_is_continued_in_the_next_epoch() -> None:
    queue = queue_of(0, 1, 2)
    assert queue.next() == "first 0"
    queue.begin_epoch()
    assert queue.next() == "first 1"


def test_skipped_batches_are_not_even_computed() -> None:
    queue: BatchQueue[str] = BatchQueue()
    queue.skip(2)
    computed: list[int] = []
    for number in range(3):
        queue.add(number, lambda number=number: computed.append(number) or str(number))
    assert computed == [2]
    assert queue.next() == "2"


def test_a_pipeline_that_runs_far_ahead_keeps_the_newest_ten_thousand() -> None:
    queue = queue_of(*range(10_002))
    assert queue.next() == "first 2"
