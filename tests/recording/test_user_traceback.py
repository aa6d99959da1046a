"""A script's error shows the script alone; a fault of ours shows where it is."""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Any

import pytest

import wandb_repro
from wandb_repro.errors import UsageError
from wandb_repro.recording.user_traceback import remove_our_frames, users_traceback

OURS = Path(wandb_repro.__file__).parent

LAUNCHER = "def launch(script): script()"
WRAPPER = "def wrapped(call): call()"
FAULTY = "def faulty(_=None): raise AttributeError('of ours')"
WRONG_USE = "def used(error): raise error"


def function_in(file: Path | str, text: str) -> Any:
    """Return the function that a text defines, as if the text were this file's."""
    names: dict[str, Any] = {}
    exec(compile(text, str(file), "exec"), names)  # noqa: S102 - the test's own text
    return names[text.split("(")[0].removeprefix("def ")]


launch = function_in(OURS / "child/run_script.py", LAUNCHER)
wrapped = function_in(OURS / "recording/patch.py", WRAPPER)


def raised_by(call: Any) -> BaseException:
    with pytest.raises(BaseException) as caught:  # noqa: PT011 - of any kind
        call()
    return below_this_test(caught.value)


def below_this_test(error: BaseException) -> BaseException:
    """Return the error without its outermost frame."""
    error.__traceback__ = error.__traceback__.tb_next if error.__traceback__ else None
    return error


def launched(script: Any) -> BaseException:
    """Return the error of a script that the launcher runs."""
    return below_this_test(raised_by(lambda: launch(script)))


def shown(error: BaseException) -> list[str]:
    return [frame.name for frame in traceback.extract_tb(error.__traceback__)]


def of_user() -> None:
    raise TypeError("of the user's own")


def test_the_launcher_and_what_is_in_between_are_not_shown() -> None:
    error = launched(lambda: wrapped(of_user))
    remove_our_frames(error)
    assert shown(error) == ["<lambda>", "of_user"]


def test_python_starting_us_is_not_shown_and_python_starting_a_module_is() -> None:
    module = function_in("<frozen runpy>", "def run(main): main()")

    def script() -> None:
        module(of_user)

    begin = function_in("<frozen runpy>", "def begin(launch, script): launch(script)")
    error = below_this_test(raised_by(lambda: begin(launch, script)))
    remove_our_frames(error)
    assert shown(error) == ["script", "run", "of_user"]

    error = raised_by(lambda: module(of_user))
    remove_our_frames(error)
    assert shown(error) == ["<lambda>", "run", "of_user"]


def test_causes_and_the_errors_of_a_group_are_cleaned_too() -> None:
    def chained() -> None:
        try:
            wrapped(of_user)
        except TypeError as cause:
            raise KeyError("of the user's own, too") from cause

    error = launched(chained)
    remove_our_frames(error)
    assert shown(error) == ["chained"]
    assert error.__cause__ is not None
    assert shown(error.__cause__) == ["chained", "of_user"]

    class Group(Exception):  # noqa: N818 - as ExceptionGroup, which Python 3.10 does not have
        exceptions = (raised_by(lambda: wrapped(of_user)),)

    remove_our_frames(Group())
    assert shown(Group.exceptions[0]) == ["<lambda>", "of_user"]


def test_an_error_that_is_its_own_context_ends() -> None:
    error = raised_by(of_user)
    other = raised_by(of_user)
    error.__context__, other.__context__ = other, error
    remove_our_frames(error)
    assert shown(error) == ["of_user"]


def test_a_fault_of_ours_shows_where_it_is_but_not_the_launcher() -> None:
    faulty = function_in(OURS / "recording/session.py", FAULTY)
    error = launched(lambda: wrapped(faulty))
    remove_our_frames(error)
    assert shown(error) == ["<lambda>", "wrapped", "faulty"]


def test_a_wrong_call_of_ours_is_shown_at_the_users_line() -> None:
    used = function_in(OURS / "api.py", WRONG_USE)
    error = raised_by(lambda: used(UsageError("steps=0 is wrong.")))
    remove_our_frames(error)
    assert shown(error) == ["<lambda>"]


def test_a_fault_in_our_launcher_itself_is_shown() -> None:
    error = raised_by(function_in(OURS / "child/run_script.py", FAULTY))
    remove_our_frames(error)
    assert shown(error) == ["faulty"]


def test_a_script_that_is_no_python_has_no_traceback_as_when_python_starts_it() -> None:
    text = "def compiled(): compile('for', 'train.py', 'exec')"
    error = raised_by(function_in(OURS / "child/run_script.py", text))
    assert users_traceback(error, error.__traceback__) is None


def test_a_hook_that_is_given_a_traceback_of_its_own_keeps_it() -> None:
    given = raised_by(of_user).__traceback__
    assert users_traceback(TypeError("never raised"), given) is given
