"""Runs a command and ends it, with everything it started, when its parent process is gone.

``python -I -S supervisor.py PARENT GRACE_S STATUS COMMAND ...`` leads the command's process group.
A parent that is killed can end nothing, and a parent-death signal reaches neither the command's own
children nor, where a thread started it, only the death of the process. So this process watches.
"""

from __future__ import annotations

import contextlib
import os
import resource
import select
import signal
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import NoReturn

_POLL_S = 0.5
_KILLING_S = 2.0
_RELAYED = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
"""Signals to the group that are the command's business."""
_SET_PDEATHSIG, _SET_CHILD_SUBREAPER = 1, 36
"""Source: linux/prctl.h."""


def main(arguments: list[str]) -> None:
    """Run a command, and end as it ended.

    Args:
        arguments: the parent's process id, the seconds that the command gets to end by itself, the
            descriptor to which an error of starting it is written, and the command.
    """
    parent, grace_s, status = int(arguments[0]), float(arguments[1]), int(arguments[2])
    awake = _wake_on_signals()
    # Processes whose parent ended become ours, so that we find them.
    _prctl(_SET_CHILD_SUBREAPER, 1)
    os.set_inheritable(status, False)
    child = _start(arguments[3:], status, os.getpid())
    os.close(status)
    while (code := _reap(child)) is None:
        if os.getppid() != parent:
            _end_all(child, grace_s)
        select.select([awake], [], [], _POLL_S)
        _empty(awake)
    _end_like(code)


def _wake_on_signals() -> int:
    """Keep signals to the group from ending us; return a descriptor that is readable after one."""
    awake, wakes = os.pipe()
    os.set_blocking(awake, False)
    os.set_blocking(wakes, False)
    signal.set_wakeup_fd(wakes, warn_on_full_buffer=False)
    for number in (signal.SIGCHLD, *_RELAYED):
        # An ignored signal stays ignored: the command would get it otherwise. A handler, unlike
        # SIG_IGN, does not reach the command.
        if number == signal.SIGCHLD or signal.getsignal(number) != signal.SIG_IGN:
            signal.signal(number, _wake)
    return awake


def _wake(number: int, frame: FrameType | None) -> None:
    """Do nothing: the descriptor wakes us."""


def _empty(awake: int) -> None:
    with contextlib.suppress(BlockingIOError):
        os.read(awake, 4096)


def _start(command: list[str], status: int, ours: int) -> int:
    """Start the command, and return its process id."""
    child = os.fork()
    if child:
        return child
    try:
        # If we are killed, too. We have one thread, so the signal follows this process.
        _prctl(_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != ours:
            os._exit(1)
        for number in (signal.SIGPIPE, signal.SIGXFSZ):  # Python ignores them
            signal.signal(number, signal.SIG_DFL)
        os.execv(command[0], command)  # noqa: S606 - a list, no shell
    except OSError as error:
        os.write(status, str(error).encode())
    os._exit(127)


def _prctl(option: int, value: int) -> None:
    """Set an attribute of this process, on Linux."""
    if sys.platform == "linux":
        with contextlib.suppress(ImportError, OSError, AttributeError):
            import ctypes

            ctypes.CDLL(None).prctl(option, value, 0, 0, 0)


def _reap(child: int) -> int | None:
    """Reap what has ended; return how the command ended as ``waitpid`` reports it, if it did."""
    code = None
    with contextlib.suppress(ChildProcessError):
        while (ended := os.waitpid(-1, os.WNOHANG))[0]:
            if ended[0] == child:
                code = ended[1]
    return code


def _end_all(child: int, grace_s: float) -> NoReturn:
    """Interrupt the command, so that it closes what it has open, then kill all that is left."""
    os.killpg(0, signal.SIGINT)
    until = time.monotonic() + grace_s
    while time.monotonic() < until and _has_children(child):
        time.sleep(0.05)
    until = time.monotonic() + _KILLING_S
    while time.monotonic() < until and (found := list(_descendants())):
        for process in found:
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.kill(process, signal.SIGKILL)
        _reap(child)
        time.sleep(0.01)
    os.killpg(0, signal.SIGKILL)
    os._exit(1)


def _has_children(child: int) -> bool:
    _reap(child)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(-1, os.WNOHANG)
        return True
    return False


def _descendants() -> Iterator[int]:
    """Yield the processes below this one, as far as the system lists them in /proc."""
    children: dict[int, list[int]] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            parent = (folder / "stat").read_bytes().rpartition(b")")[2].split()[1]
            children.setdefault(int(parent), []).append(int(folder.name))
    waiting = [os.getpid()]
    while waiting:
        found = children.get(waiting.pop(), [])
        yield from found
        waiting += found


def _end_like(code: int) -> NoReturn:
    """End with the command's exit code, or by the signal that ended it."""
    if os.WIFSIGNALED(code):
        number = os.WTERMSIG(code)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))  # the command wrote its own core file
        with contextlib.suppress(OSError):  # SIGKILL has no handler
            signal.signal(number, signal.SIG_DFL)
        os.kill(os.getpid(), number)
    os._exit(os.WEXITSTATUS(code))


if __name__ == "__main__":
    main(sys.argv[1:])
