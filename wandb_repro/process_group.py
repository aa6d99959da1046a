"""A child process that leads its own process group, and everything that it started."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess


def signal_group(process: subprocess.Popen[bytes] | subprocess.Popen[str], number: int) -> None:
    """Send a signal to a child and to all that it started; one that is gone already is fine.

    Args:
        process: started with ``start_new_session=True``, not yet waited for.
        number: of the signal.
    """
    # macOS answers EPERM for a group in which only ended processes are left.
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.Signals(number))
