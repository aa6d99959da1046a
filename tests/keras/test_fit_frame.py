from __future__ import annotations

import sys
import threading

from wandb_repro.keras.fit_frame import FitFrame, is_running


class CallbackList:
    """Calls callbacks as Keras does."""

    def __init__(self, callbacks: list[object]) -> None:
        self.callbacks = callbacks

    def on_train_begin(self) -> None:
        for callback in self.callbacks:
            getattr(callback, "on_train_begin", int)()


class Callback:
    frame = FitFrame(None, {})
    runs = False

    def on_train_begin(self) -> None:
        self.frame = FitFrame.around(self)
        self.runs = is_running(threading.get_ident(), self.frame.id)


def fit(callbacks: list[object], epochs: int) -> None:
    wrapped = CallbackList(callbacks)
    wrapped.on_train_begin()


def test_the_list_and_the_variables_of_fit_are_found() -> None:
    callback, other = Callback(), object()
    fit([other, callback], epochs=7)
    assert callback.frame.callbacks == [other, callback]
    assert callback.frame.locals["epochs"] == 7


def test_a_list_that_something_else_than_fit_calls_has_no_variables() -> None:
    callback = Callback()
    CallbackList([callback]).on_train_begin()
    assert callback.frame.callbacks == [callback]
    assert callback.frame.locals == {}
    assert callback.frame.id == 0


def test_without_a_list_that_holds_the_callback_nothing_is_found() -> None:
    callback = Callback()
    callback.on_train_begin()
    assert callback.frame == (None, {}, 0)
    assert callback.frame.callbacks == []


def test_a_decorator_between_does_not_hide_the_list() -> None:
    class Decorated(CallbackList):
        def on_train_begin(self) -> None:
            (lambda: (lambda: CallbackList.on_train_begin(self))())()

    callback = Callback()
    Decorated([callback]).on_train_begin()
    assert callback.frame.callbacks == [callback]


def test_a_fit_runs_until_it_returns() -> None:
    callback = Callback()
    fit([callback], epochs=1)
    assert callback.runs
    assert not is_running(threading.get_ident(), callback.frame.id)


def test_a_fit_of_another_thread_is_found_there_and_not_here() -> None:
    inside, leave, frame_ids = threading.Event(), threading.Event(), list[int]()

    def fit() -> None:
        frame_ids.append(id(sys._getframe()))  # pyright: ignore[reportPrivateUsage] - for its id
        inside.set()
        leave.wait(30)

    thread = threading.Thread(target=fit)
    thread.start()
    assert inside.wait(30)
    ident = thread.ident or 0
    assert is_running(ident, frame_ids[0])
    assert not is_running(threading.get_ident(), frame_ids[0])
    leave.set()
    thread.join()
    assert not is_running(ident, frame_ids[0])


def test_a_frame_that_is_not_of_a_fit_is_no_fit() -> None:
    here = id(sys._getframe())  # pyright: ignore[reportPrivateUsage] - for its id
    assert not is_running(threading.get_ident(), here)
