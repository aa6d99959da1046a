"""The machine as the probes see it. Probes ask this and nothing else, so tests can stand in."""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import platform
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Protocol

from wandb_repro.capture.process.command_line import began_in, parse
from wandb_repro.capture.process.notebook import begun_in

__all__ = ["Host", "ThisHost"]


class Host(Protocol):
    """One process on one machine."""

    @property
    def environ(self) -> Mapping[str, str]:
        """Environment variables of the process."""
        ...

    @property
    def command_line(self) -> tuple[str, ...]:
        """How the interpreter was started, its flags included (``sys.orig_argv``)."""
        ...

    @property
    def started_in(self) -> str:
        """Working directory in which the process began, absolute."""
        ...

    @property
    def modules(self) -> Mapping[str, ModuleType]:
        """What is imported already (``sys.modules``). Probes never import a framework."""
        ...

    @property
    def process_id(self) -> int:
        """Number of the process."""
        ...

    @property
    def command_folders(self) -> tuple[str, ...]:
        """Where installed distributions put their commands: the environment's, the user's."""
        ...

    @property
    def package_folders(self) -> tuple[str, ...]:
        """Where the environment itself keeps what is installed in it."""
        ...

    def real_path(self, path: str) -> str:
        """Return an absolute path with every symbolic link followed, existing or not."""
        ...

    def memory_bytes(self) -> int:
        """Return the machine's memory."""
        ...

    def read_text(self, path: str) -> str:
        """Return a file of the machine.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def list_folder(self, path: str) -> tuple[str, ...]:
        """Return the names in a folder of the machine, sorted.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def affinity_cores(self) -> int:
        """Return on how many cores this process may be scheduled.

        Raises:
            OSError: the system does not tell.
        """
        ...

    def distributions(self) -> Iterable[importlib.metadata.Distribution]:
        """Return what is installed, in the order of ``sys.path``."""
        ...

    def uname(self) -> platform.uname_result:
        """Return system, node, release, version, machine."""
        ...


class ThisHost:
    """The process that runs this."""

    def __init__(self, started_in: str | None = None) -> None:
        self._started_in = started_in or _working_directory()

    @property
    def environ(self) -> Mapping[str, str]:
        """Environment variables of the process."""
        return os.environ

    @property
    def command_line(self) -> tuple[str, ...]:
        """How the interpreter was started, its flags included."""
        return tuple(sys.orig_argv)

    @property
    def started_in(self) -> str:
        """Working directory in which the process began, absolute."""
        return self._started_in

    @property
    def modules(self) -> Mapping[str, ModuleType]:
        """What is imported already."""
        return sys.modules

    @property
    def process_id(self) -> int:
        """Number of the process."""
        return os.getpid()

    @property
    def command_folders(self) -> tuple[str, ...]:
        """Where installed distributions put their commands."""
        of_user = sysconfig.get_path("scripts", f"{os.name}_user")
        return (sysconfig.get_path("scripts"), of_user)

    @property
    def package_folders(self) -> tuple[str, ...]:
        """Where the environment itself keeps what is installed in it."""
        return (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))

    def real_path(self, path: str) -> str:
        """Return an absolute path with every symbolic link followed."""
        return os.path.realpath(path)

    def memory_bytes(self) -> int:
        """Return the machine's memory."""
        import psutil  # 10 ms that only a recording pays

        return psutil.virtual_memory().total

    def read_text(self, path: str) -> str:
        """Return a file of the machine."""
        return Path(path).read_text(encoding="utf-8", errors="replace")

    def list_folder(self, path: str) -> tuple[str, ...]:
        """Return the names in a folder of the machine, sorted."""
        return tuple(sorted(os.listdir(path)))  # noqa: PTH208

    def affinity_cores(self) -> int:
        """Return on how many cores this process may be scheduled."""
        return len(os.sched_getaffinity(0))

    def distributions(self) -> Iterable[importlib.metadata.Distribution]:
        """Return what is installed, in the order of ``sys.path``."""
        return importlib.metadata.distributions()

    def uname(self) -> platform.uname_result:
        """Return system, node, release, version, machine."""
        return platform.uname()


def _working_directory() -> str:
    """Return where the process began, even if the script has changed its folder before this."""
    with contextlib.suppress(OSError):
        return begun_in(sys.modules) or began_in(
            parse(tuple(sys.orig_argv)),
            now=os.getcwd(),  # noqa: PTH109
            main_file=str(getattr(sys.modules.get("__main__"), "__file__", "")),
            told=os.environ.get("PWD", ""),
            search_path=tuple(sys.path),
        )
    return "/"
