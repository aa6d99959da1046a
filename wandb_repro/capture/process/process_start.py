"""When this process started."""

from __future__ import annotations

import os
import time
from pathlib import Path

_START_FIELD = 19
"""Of ``/proc/PID/stat`` after the command's name. Source: proc_pid_stat(5), field 22."""


def process_start() -> float:
    """Return when this process started, seconds since 1970, to 10 ms; now if it is not known."""
    # psutil rounds to the system's start in whole seconds.
    try:
        fields = Path("/proc/self/stat").read_text(encoding="utf-8").rpartition(")")[2].split()
        ticks = int(fields[_START_FIELD])
        running_s = time.clock_gettime(time.CLOCK_BOOTTIME) - ticks / os.sysconf("SC_CLK_TCK")
    except (OSError, ValueError, IndexError, AttributeError):
        return time.time()
    return time.time() - running_s
