"""How much of this disk is read for a record that nobody has agreed to run, and which paths."""

from __future__ import annotations

import time

from wandb_repro.capture.dataset.limits import Limits
from wandb_repro.capture.source.data_places import may_be_data

NOT_LOOKED_AT = "not looked at"

_MOST_BYTES = 64 << 30
_MOST_SECONDS = 60.0


class Looking:
    """One budget for everything that inspecting a run reads outside its capsule.

    A record names any path. One is looked at if the person gave it, or if it is where a script's
    data may be: not of the system, not a setting, not hidden.

    Args:
        most_bytes: of all files together; the last one may go beyond it.
        seconds: for all files together.
    """

    def __init__(self, most_bytes: int = _MOST_BYTES, seconds: float = _MOST_SECONDS) -> None:
        self._left_bytes = most_bytes
        self._until = time.monotonic() + seconds

    def may_read(self, path: str, root: str) -> bool:
        """Return whether a recorded path may be looked at; reads no disk.

        Args:
            path: absolute and normalised.
            root: recorded folder of the source tree.
        """
        return not self.is_used_up and may_be_data(path, root)

    @property
    def is_used_up(self) -> bool:
        """Whether nothing more is read."""
        return self._left_bytes <= 0 or time.monotonic() >= self._until

    @property
    def until(self) -> float:
        """When to stop reading, on the clock of ``time.monotonic``."""
        return self._until

    @property
    def limits(self) -> Limits:
        """For the next file or folder of data."""
        return Limits(seconds=max(0.0, self._until - time.monotonic()))

    def spend(self, size_bytes: int) -> None:
        """Count what was read, or is about to be."""
        self._left_bytes -= size_bytes
