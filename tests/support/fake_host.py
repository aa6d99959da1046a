"""A machine made of values."""

from __future__ import annotations

import importlib.metadata
import platform
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from types import ModuleType

from wandb_repro.capture.host import Host

__all__ = ["FakeHost", "fake_module", "fake_uname"]


def fake_module(name: str, **attributes: object) -> ModuleType:
    """Return a module with these attributes, as ``sys.modules`` would hold it."""
    module = ModuleType(name)
    module.__dict__.update(attributes)
    return module


def fake_uname(
    *, node: str = "node-1", release: str = "6.1.0", machine: str = "x86_64"
) -> platform.uname_result:
    """Return what a Linux machine says of itself."""
    return platform.uname_result("Linux", node, release, "#1 SMP", machine)


@dataclass
class FakeHost(Host):
    """Stands in for the process and its machine. What is not given is not there."""

    environ: Mapping[str, str] = field(default_factory=dict[str, str])
    command_line: tuple[str, ...] = ("python", "train.py")
    started_in: str = "/project"
    modules: Mapping[str, ModuleType] = field(default_factory=dict[str, ModuleType])
    files: Mapping[str, str] = field(default_factory=dict[str, str])
    """Text by absolute path. Folders follow from it."""
    links: Mapping[str, str] = field(default_factory=dict[str, str])
    """Folders that are symbolic links, and where to."""
    affinity: int | None = 2
    """None: the system does not tell."""
    memory: int = 8 * 2**30
    installed: tuple[importlib.metadata.Distribution, ...] = ()
    system: platform.uname_result = field(default_factory=fake_uname)
    command_folders: tuple[str, ...] = ("/environment/bin",)
    package_folders: tuple[str, ...] = ()

    def process_id(self) -> int:
        return 4242

    def real_path(self, path: str) -> str:
        for link, target in self.links.items():
            if path == link or path.startswith(link + "/"):
                return target + path[len(link) :]
        return path

    def memory_bytes(self) -> int:
        return self.memory

    def read_text(self, path: str) -> str:
        if path not in self.files:
            raise FileNotFoundError(2, "No such file or directory", path)
        return self.files[path]

    def list_folder(self, path: str) -> tuple[str, ...]:
        inside = {
            it[len(path) + 1 :].split("/")[0] for it in self.files if it.startswith(path + "/")
        }
        if not inside:
            raise FileNotFoundError(2, "No such file or directory", path)
        return tuple(sorted(inside))

    def affinity_cores(self) -> int:
        if self.affinity is None:
            raise OSError("sched_getaffinity is not implemented")
        return self.affinity

    def distributions(self) -> Iterable[importlib.metadata.Distribution]:
        return self.installed

    def uname(self) -> platform.uname_result:
        return self.system
