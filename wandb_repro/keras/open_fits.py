"""Fits that began and did not end, so that a fit that an exception ended is closed later."""

from __future__ import annotations

import threading

from wandb_repro.keras.fit_frame import is_running
from wandb_repro.recording.process_state import FitCall, process
from wandb_repro.recording.trail_sink import TrailSink


def note_begin(sink: TrailSink, fit: int, frame_id: int) -> None:
    """Note that a fit began; end the fits of this sink that an exception ended."""
    # Keras calls no ``on_train_end`` then. A script that catches the exception and continues would
    # leave another fit open each time, and its record would say that it was interrupted.
    if not frame_id:  # the frame of ``fit`` was not found
        return
    fits = process.open_fits.setdefault(sink, {})
    for number, call in list(fits.items()):
        # A new frame may get the id of a frame that is gone.
        if call.frame_id == frame_id or not is_running(*call):
            del fits[number]
            sink.end_fit(number)
    fits[fit] = FitCall(threading.get_ident(), frame_id)


def note_end(sink: TrailSink, fit: int) -> None:
    """Note that a fit ended."""
    process.open_fits.get(sink, {}).pop(fit, None)
