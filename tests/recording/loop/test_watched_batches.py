from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.recording.loop.watched_batches import WatchedBatches


def test_each_batch_is_shown_before_the_loop_gets_it_and_no_further_one_is_made() -> None:
    events: list[str] = []

    def made() -> Iterator[int]:
        for number in range(3):
            events.append(f"made {number}")
            yield number

    batches = WatchedBatches(
        made(),
        lambda _: events.append("began"),
        lambda batch: events.append(f"shown {batch}"),
        lambda _, exhausted: events.append(f"ended, exhausted: {exhausted}"),
    )
    assert not events
    for batch in batches:
        events.append(f"got {batch}")
        if batch == 1:
            break
    both = ["made 0", "shown 0", "got 0", "made 1", "shown 1", "got 1"]
    assert events == ["began", *both, "ended, exhausted: False"]
    assert list(batches) == [2]
    assert events[-2:] == ["shown 2", "ended, exhausted: True"]


def test_next_takes_one_after_the_other() -> None:
    batches = WatchedBatches([1, 2], lambda _: None, lambda _: None, lambda _, __: None)
    assert [next(batches), next(batches)] == [1, 2]
    assert next(batches, "no more") == "no more"
