"""The machine as the probes see it: they read only a ``Host``, so tests can fake it."""

from __future__ import annotations

import importlib.metadata
import os
import platform
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import ModuleType


class Host:
    """This process and its machine.

    Attributes:
        environ: environment variables of the process.
        command_line: how the interpreter was started, its flags included (``sys.orig_argv``).
        is_forked: whether it was forked from a recorded process, whose command line it has.
        started_in: folder that the process was started in, absolute.
        modules: the imported modules (``sys.modules``). Probes never import a framework.
        command_folders: where commands of installed distributions are: the environment's folder and
            the user's.
        package_folders: the environment's own folders of installed packages, absolute.

    Args:
        started_in: folder that the process was started in; by default the current one.
    """

    is_forked = False

    def __init__(self, started_in: str | None = None) -> None:
        self.environ: Mapping[str, str] = os.environ
        self.command_line = tuple(sys.orig_argv)
        self.started_in = started_in or os.getcwd()  # noqa: PTH109
        self.modules: Mapping[str, ModuleType] = sys.modules
        of_user = sysconfig.get_path("scripts", f"{os.name}_user")
        self.command_folders: tuple[str, ...] = (sysconfig.get_path("scripts"), of_user)
        packages = (sysconfig.get_path("purelib"), sysconfig.get_path("platlib"))
        self.package_folders: tuple[str, ...] = packages

    def process_id(self) -> int:
        """Return the id of the process, which differs after a fork."""
        return os.getpid()

    def real_path(self, path: str) -> str:
        """Return an absolute path with all symbolic links followed; the file need not exist."""
        return os.path.realpath(path)

    def memory_bytes(self) -> int:
        """Return the machine's memory in bytes."""
        import psutil  # takes 10 ms, so only a recording imports it

        return psutil.virtual_memory().total

    def read_text(self, path: str) -> str:
        """Return the text of a file; bytes that are not UTF-8 become U+FFFD.

        Raises:
            OSError: it cannot be read.
        """
        return Path(path).read_text(encoding="utf-8", errors="replace")

    def list_folder(self, path: str) -> tuple[str, ...]:
        """Return the names in a folder, sorted.

        Raises:
            OSError: it cannot be read.
        """
        return tuple(sorted(os.listdir(path)))  # noqa: PTH208

    def affinity_cores(self) -> int:
        """Return the number of cores that this process may be scheduled on.

        Raises:
            OSError: the system does not say.
        """
        return len(os.sched_getaffinity(0))

    def distributions(self) -> Iterable[importlib.metadata.Distribution]:
        """Return the installed distributions, in the order of ``sys.path``."""
        return importlib.metadata.distributions()

    def uname(self) -> platform.uname_result:
        """Return system, node, release, version, machine."""
        return platform.uname()
