"""When this process started."""

from __future__ import annotations

import os
import time
from pathlib import Path

_START_FIELD = 19
"""Of ``/proc/PID/stat`` after the command's name. Source: proc_pid_stat(5), field 22."""


def process_start() -> float:
    """Return when this process had started, seconds since 1970; now if it is not known.

    At most 10 ms late, and never early: what was written just before must not count as its own.
    """
    # psutil rounds to the system's start in whole seconds.
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks = int(fields[_START_FIELD])
        started_s = (ticks + 1) / os.sysconf("SC_CLK_TCK")  # ticks are rounded down
        running_s = time.clock_gettime(time.CLOCK_BOOTTIME) - started_s
    except (OSError, ValueError, IndexError, AttributeError):
        return time.time()
    return time.time() - running_s
