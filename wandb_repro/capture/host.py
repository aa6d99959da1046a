"""The machine as the probes see it: they ask a ``Host`` and nothing else, so tests can fake it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType
from typing import Protocol


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
        """Folder that the process was started in, absolute."""
        ...

    @property
    def modules(self) -> Mapping[str, ModuleType]:
        """The imported modules (``sys.modules``). Probes never import a framework."""
        ...

    @property
    def process_id(self) -> int:
        """Id of the process."""
        ...

    @property
    def command_folders(self) -> tuple[str, ...]:
        """Folders of the commands of installed distributions: the environment's, the user's."""
        ...

    @property
    def package_folders(self) -> tuple[str, ...]:
        """The environment's own folders of installed packages, absolute."""
        ...

    def real_path(self, path: str) -> str:
        """Return an absolute path with every symbolic link followed, existing or not."""
        ...

    def memory_bytes(self) -> int:
        """Return the machine's memory in bytes."""
        ...

    def read_text(self, path: str) -> str:
        """Return the text of a file; bytes that are not UTF-8 become U+FFFD.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def list_folder(self, path: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted.

        Raises:
            OSError: it cannot be read.
        """
        ...

    def affinity_cores(self) -> int:
        """Return the number of cores that this process may be scheduled on.

        Raises:
            OSError: the system does not say.
        """
        ...

    def distributions(self) -> Iterable[importlib.metadata.Distribution]:
        """Return the installed distributions, in the order of ``sys.path``."""
        ...

    def uname(self) -> platform.uname_result:
        """Return system, node, release, version, machine."""
        ...


class ThisHost:
    """This process.

    Args:
        started_in: folder that the process was started in; by default the current one.
    """

    def __init__(self, started_in: str | None = None) -> None:
        self._started_in = started_in or os.getcwd()  # noqa: PTH109

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
        """Folder that the process was started in, absolute."""
        return self._started_in

    @property
    def modules(self) -> Mapping[str, ModuleType]:
        """The imported modules."""
        return sys.modules

    @property
    def process_id(self) -> int:
        """Id of the process."""
        return os.getpid()

    @property
    def command_folders(self) -> tuple[str, ...]:
        """Folders of the commands of installed distributions."""
        of_user = sysconfig.get_path("scripts", f"{os.name}_user")
        return (sysconfig.get_path("scripts"), of_user)

    @property
    def package_folders(self) -> tuple[str, ...]:
        """The environment's own folders of installed packages, absolute."""
        return (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))

    def real_path(self, path: str) -> str:
        """Return an absolute path with every symbolic link followed."""
        return os.path.realpath(path)

    def memory_bytes(self) -> int:
        """Return the machine's memory in bytes."""
        import psutil  # 10 ms that only a recording pays

        return psutil.virtual_memory().total

    def read_text(self, path: str) -> str:
        """Return the text of a file; bytes that are not UTF-8 become U+FFFD."""
        return Path(path).read_text(encoding="utf-8", errors="replace")

    def list_folder(self, path: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted."""
        return tuple(sorted(os.listdir(path)))  # noqa: PTH208

    def affinity_cores(self) -> int:
        """Return the number of cores that this process may be scheduled on."""
        return len(os.sched_getaffinity(0))

    def distributions(self) -> Iterable[importlib.metadata.Distribution]:
        """Return the installed distributions, in the order of ``sys.path``."""
        return importlib.metadata.distributions()

    def uname(self) -> platform.uname_result:
        """Return system, node, release, version, machine."""
        return platform.uname()
