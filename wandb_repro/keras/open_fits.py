"""Fits that began and did not end, so that one that an exception ended is not kept for ever."""

from __future__ import annotations

import threading
from typing import NamedTuple
from weakref import WeakKeyDictionary

from wandb_repro.keras.fit_frame import is_running
from wandb_repro.recording.trail_sink import TrailSink


class _Place(NamedTuple):
    thread: int
    frame_id: int


_open: WeakKeyDictionary[TrailSink, dict[int, _Place]] = WeakKeyDictionary()
"""By number of the fit. Goes when the sink goes."""


def note_begin(sink: TrailSink, fit: int, frame_id: int) -> None:
    """Note that a fit began; end the fits of this sink that an exception ended."""
    # Keras calls no ``on_train_end`` then. A script that caught the exception and trains on would
    # have one open fit more each time, and its record would say that it was interrupted.
    if not frame_id:  # the frame of ``fit`` was not found
        return
    fits = _open.setdefault(sink, {})
    for number, place in list(fits.items()):
        # A new frame may get the id of one that is gone.
        if place.frame_id == frame_id or not is_running(*place):
            del fits[number]
            sink.end_fit(number)
    fits[fit] = _Place(threading.get_ident(), frame_id)


def note_end(sink: TrailSink, fit: int) -> None:
    """Note that a fit ended."""
    _open.get(sink, {}).pop(fit, None)
