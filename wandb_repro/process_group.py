"""Sends signals to a child process and everything that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess


def signal_group(process: subprocess.Popen[bytes] | subprocess.Popen[str], number: int) -> None:
    """Send a signal to a child's process group; do nothing if it is gone already.

    Args:
        process: started with ``start_new_session=True``, not yet waited for.
        number: of the signal.
    """
    # macOS returns EPERM for a group in which all processes have ended.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.Signals(number))
