from __future__ import annotations

from typing import Any

from wandb_repro.state.living_objects import living_objects


class Animal:
    """What is searched for."""


class Dog(Animal):
    """Of a subclass."""


class Unhashable(type):
    def __eq__(cls, other: object) -> bool:
        return cls is other


class Cat(metaclass=Unhashable):
    """Of a class that no dict takes as a key."""


class Proxy:
    """Says that it is an animal, and counts who asks."""

    asked = 0

    @property
    def __class__(self) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride] - as proxies do
        Proxy.asked += 1
        return Animal


def test_objects_of_a_class_and_its_subclasses_are_found_with_the_class_asked_for() -> None:
    animal, dog, cat = Animal(), Dog(), Cat()
    found = list(living_objects([Cat, Animal]))
    expected = [(Animal, animal), (Animal, dog), (Cat, cat)]
    assert all(any(thing is it and kind is of for of, it in found) for kind, thing in expected)
    assert len(found) == len(expected)


def test_a_proxy_is_not_asked_for_its_class() -> None:
    proxy = Proxy()
    Proxy.asked = 0
    assert not any(thing is proxy for _, thing in living_objects([Animal]))
    assert Proxy.asked == 0


def test_what_is_gone_is_not_found() -> None:
    dog = Dog()
    del dog
    assert not list(living_objects([Dog]))
