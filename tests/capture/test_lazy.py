from __future__ import annotations

import threading

from wandb_repro.capture.lazy import lazy


class Slow:
    """Computes when it is allowed to."""

    def __init__(self) -> None:
        self.times = 0
        self.may_end = threading.Event()
        self.may_end.set()
        self.begun = threading.Event()

    @lazy
    def value(self) -> int:
        """A number."""
        self.times += 1
        self.begun.set()
        self.may_end.wait(20)
        return self.times


def test_it_is_computed_once_for_each_object() -> None:
    one, two = Slow(), Slow()
    assert [one.value, one.value, two.value] == [1, 1, 1]
    assert [one.times, two.times] == [1, 1]
    assert Slow.value.__doc__ == "A number."


def test_nobody_waits_for_a_thread_that_computes_another_objects_value() -> None:
    # A forked process has the lock of such a thread, and no thread that would release it.
    slow, other = Slow(), Slow()
    slow.may_end.clear()
    thread = threading.Thread(target=lambda: slow.value, daemon=True)
    thread.start()
    assert slow.begun.wait(20)
    found: list[int] = []
    reader = threading.Thread(target=lambda: found.append(other.value), daemon=True)
    reader.start()
    reader.join(20)
    slow.may_end.set()
    thread.join(20)
    assert found == [1]
