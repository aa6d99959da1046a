"""An NVIDIA driver made of values."""
# ruff: noqa: N802 - the names are NVML's

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

__all__ = ["FakeGpu", "FakeNvml", "NvmlError"]


class NvmlError(Exception):
    """Stands in for ``pynvml.NVMLError``."""


class FakeMemory(NamedTuple):
    """Bytes."""

    total: int


class FakeProcess(NamedTuple):
    """One that uses the GPU."""

    pid: int


@dataclass
class FakeGpu:
    """One GPU."""

    name: str | bytes = "NVIDIA H100 80GB HBM3"
    uuid: str = "GPU-1"
    memory: int = 80 * 2**30
    capability: tuple[int, int] = (9, 0)
    mig: int = 0
    pids: tuple[int, ...] = ()


@dataclass
class FakeNvml:
    """Stands in for nvidia-ml-py.

    Attributes:
        gpus: what it tells of.
        broken: names of functions that raise.
        hangs: waited for in ``nvmlInit``.
        users: ``nvmlInit`` less ``nvmlShutdown``.
    """

    gpus: Sequence[FakeGpu] = ()
    broken: frozenset[str] = frozenset()
    hangs: threading.Event | None = None
    users: int = field(default=0, init=False)
    NVMLError: type[Exception] = NvmlError

    def _ask(self, function: str) -> None:
        if function in self.broken:
            raise NvmlError("Not Supported")

    def _gpu(self, function: str, handle: object) -> FakeGpu:
        self._ask(function)
        assert isinstance(handle, FakeGpu)
        return handle

    def nvmlInit(self) -> None:
        if self.hangs is not None:
            self.hangs.wait()
        self._ask("nvmlInit")
        self.users += 1

    def nvmlShutdown(self) -> None:
        self._ask("nvmlShutdown")
        self.users -= 1

    def nvmlSystemGetDriverVersion(self) -> str:
        self._ask("nvmlSystemGetDriverVersion")
        return "580.65.06"

    def nvmlSystemGetCudaDriverVersion_v2(self) -> int:
        self._ask("nvmlSystemGetCudaDriverVersion_v2")
        return 12090

    def nvmlDeviceGetCount(self) -> int:
        self._ask("nvmlDeviceGetCount")
        return len(self.gpus)

    def nvmlDeviceGetHandleByIndex(self, index: int) -> object:
        self._ask("nvmlDeviceGetHandleByIndex")
        return self.gpus[index]

    def nvmlDeviceGetName(self, handle: object) -> str | bytes:
        return self._gpu("nvmlDeviceGetName", handle).name

    def nvmlDeviceGetUUID(self, handle: object) -> str | bytes:
        return self._gpu("nvmlDeviceGetUUID", handle).uuid

    def nvmlDeviceGetMemoryInfo(self, handle: object) -> FakeMemory:
        return FakeMemory(self._gpu("nvmlDeviceGetMemoryInfo", handle).memory)

    def nvmlDeviceGetCudaComputeCapability(self, handle: object) -> Sequence[int]:
        return self._gpu("nvmlDeviceGetCudaComputeCapability", handle).capability

    def nvmlDeviceGetMigMode(self, handle: object) -> Sequence[int]:
        return (self._gpu("nvmlDeviceGetMigMode", handle).mig, 0)

    def nvmlDeviceGetComputeRunningProcesses(self, handle: object) -> Sequence[FakeProcess]:
        pids = self._gpu("nvmlDeviceGetComputeRunningProcesses", handle).pids
        return [FakeProcess(pid) for pid in pids]


if TYPE_CHECKING:
    from wandb_repro.capture.machine.nvml import Nvml

    _: Nvml = FakeNvml()
