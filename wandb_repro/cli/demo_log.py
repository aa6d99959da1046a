"""Writes the output of the demo's trainings to a log, and shows our own lines on the screen.

TensorFlow also prints lines when it starts. Which ones depends on the processor, even with
``TF_CPP_MIN_LOG_LEVEL``.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import BinaryIO

_OURS = ("wandb_repro:", "   epoch ")
"""How the lines of this package and of the demo's script begin."""
_POLL_S = 0.1


@contextlib.contextmanager
def our_lines(log: Path, show: Callable[[str], None]) -> Generator[int]:
    """Show the lines of a training that are ours, as they are printed.

    Args:
        log: everything that is printed is appended to it.
        show: called from another thread with each of our lines, without its end.

    Yields:
        The file descriptor that the training is to print to.
    """
    # A file, not a pipe: W&B's service may outlive the training and would keep a pipe open.
    with log.open("ab") as written, log.open("rb") as read:
        read.seek(0, 2)
        has_ended = threading.Event()
        reader = threading.Thread(target=_follow, args=(read, show, has_ended), daemon=True)
        reader.start()
        try:
            yield written.fileno()
        finally:
            has_ended.set()
            reader.join()


def _follow(read: BinaryIO, show: Callable[[str], None], has_ended: threading.Event) -> None:
    unfinished = b""
    is_last = False
    while not is_last:
        # Checked before reading, so that everything printed before the end is read.
        is_last = has_ended.wait(_POLL_S)
        *lines, unfinished = (unfinished + read.read()).split(b"\n")
        for line in lines:
            text = line.decode(errors="replace")
            if text.startswith(_OURS):
                show(text)
