from __future__ import annotations

from types import ModuleType
from typing import Any

import pytest

from wandb_repro.capture.unrecorded import unrecorded
from wandb_repro.recording.follow_calls import follow


def library() -> Any:
    found: Any = ModuleType("library")

    def read(path: str, mode: str = "r") -> str:
        """Read."""
        if not path:
            raise OSError("no path")
        return f"{path} {mode}"

    found.read = read
    return found


def test_each_call_is_noted_once_with_its_result_and_does_what_it_did() -> None:
    module, calls = library(), list[Any]()
    for _ in range(2):
        follow(module, "read", lambda given, result: calls.append((given, result)))
    assert module.read("a", "w") == "a w"
    assert module.read(path="b") == "b r"
    assert calls == [(("a", "w"), "a w"), (("b",), "b r")]
    assert (module.read.__name__, module.read.__doc__) == ("read", "Read.")


def test_an_error_is_the_librarys_and_is_not_noted() -> None:
    module, calls = library(), list[Any]()
    follow(module, "read", lambda given, result: calls.append((given, result)))
    with pytest.raises(OSError, match="no path"):
        module.read("")
    assert calls == []


def test_our_own_calls_are_not_noted() -> None:
    module, calls = library(), list[Any]()
    follow(module, "read", lambda given, result: calls.append((given, result)))
    with unrecorded():
        module.read("a")
    assert calls == []


def test_a_function_that_is_not_there_is_left_alone() -> None:
    module = library()

    def note(given: tuple[Any, ...], result: Any) -> None:
        raise AssertionError(given, result)

    follow(module, "write", note)
    follow(None, "read", note)
    assert not hasattr(module, "write")
