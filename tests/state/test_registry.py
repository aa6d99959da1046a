from __future__ import annotations

import gc
import weakref

import pytest

from wandb_repro.state.registry import Registry
from wandb_repro.state.thread_order import OTHER, OWN, ThreadPlace


class Thing:
    """Anything that can be referenced weakly."""


def test_things_are_numbered_in_the_order_in_which_they_were_made() -> None:
    registry, things = Registry(), [Thing(), Thing()]
    for thing in things:
        registry.add("model", thing)
    optimizer = Thing()
    registry.add("optimizer", optimizer)

    assert [known.number for known in registry.alive("model")] == [1, 2]
    assert [known.thing for known in registry.alive("model")] == things
    assert registry.number_of("optimizer", optimizer) == 1
    assert registry.number_of("model", Thing()) == 0


def test_a_thing_is_added_once() -> None:
    registry, thing = Registry(), Thing()
    registry.add("model", thing)
    registry.add("model", thing)

    assert len(registry.alive("model")) == 1


def test_nothing_is_kept_alive_and_numbers_are_not_used_again() -> None:
    registry = Registry()
    for _ in range(100):
        thing = Thing()
        reference = weakref.ref(thing)
        registry.add("model", thing)
        del thing  # nothing else refers to it, so it is gone at once
        assert reference() is None
    last = Thing()
    registry.add("model", last)

    assert registry.number_of("model", last) == 101
    assert len(registry.alive("model")) == 1


def test_the_steps_of_an_optimizer_outlive_it_until_they_are_taken() -> None:
    registry, optimizer, steps = Registry(), Thing(), object()
    registry.add("optimizer", optimizer)
    registry.count_steps(optimizer, steps)
    del optimizer
    gc.collect()

    assert [entry.steps for entry in registry.take_gone()] == [steps]
    assert list(registry.take_gone()) == []


def test_a_search_is_made_once() -> None:
    registry, calls = Registry(), list[str]()
    registry.searches.append(lambda: calls.append("searched"))
    registry.search()
    registry.search()

    assert calls == ["searched"]


def test_after_clear_it_is_as_new() -> None:
    registry, thing = Registry(), Thing()
    registry.add("model", thing)
    registry.clear()
    registry.add("model", thing)

    assert registry.number_of("model", thing) == 1


def test_what_was_made_is_known_when_it_is_gone() -> None:
    registry = Registry()
    assert not registry.made("module", "optimizer")

    registry.add("optimizer", made := Thing())
    del made

    assert registry.made("module", "optimizer")
    assert not registry.made("module")


def test_a_later_run_counts_from_what_still_exists() -> None:
    registry = Registry()
    first, second = Thing(), Thing()
    registry.add("model", first)
    registry.add("model", second)
    registry.notes["of the first run"] = None
    registry.unwatched["of the process"] = None
    del first

    registry.begin_run()
    third = Thing()
    registry.add("model", third)

    assert [known.number for known in registry.alive("model")] == [1, 2]
    assert [registry.number_of("model", thing) for thing in (second, third)] == [1, 2]
    assert (list(registry.notes), list(registry.unwatched)) == ([], ["of the process"])


def made_in(registry: Registry, place: ThreadPlace, monkeypatch: pytest.MonkeyPatch) -> Thing:
    with monkeypatch.context() as patch:
        patch.setattr(registry.threads, "current", lambda: place)
        registry.add("model", thing := Thing())
    return thing


def test_each_thread_counts_what_it_makes(monkeypatch: pytest.MonkeyPatch) -> None:
    registry = Registry()
    second, first = (ThreadPlace(path=(("train", number),)) for number in (2, 1))
    places = (second, OTHER, OWN, first, OWN)
    things = [made_in(registry, place, monkeypatch) for place in places]

    assert [known.thing for known in registry.alive("model")] == [
        things[at] for at in (2, 4, 3, 0, 1)
    ]
    assert [known.owner for known in registry.alive("model")] == [
        "model 1",
        "model 2",
        "model 1 of thread train#1",
        "model 1 of thread train#2",
        "model 1 of other threads",
    ]
    assert registry.owner_name("model", things[0]) == "model 1 of thread train#2"
    assert registry.owner_name("model", Thing()) == ""


def test_what_a_search_finds_belongs_to_the_runs_own_thread(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry, thing = Registry(), Thing()
    monkeypatch.setattr(registry.threads, "current", lambda: OTHER)
    registry.add("model", thing, found=True)

    assert registry.owner_name("model", thing) == "model 1"


def test_a_later_run_counts_what_threads_left_after_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registry = Registry()
    by_thread = made_in(registry, ThreadPlace(path=(("train", 1),)), monkeypatch)
    own = made_in(registry, OWN, monkeypatch)
    registry.begin_run()

    assert [registry.owner_name("model", thing) for thing in (own, by_thread)] == [
        "model 1",
        "model 2",
    ]
