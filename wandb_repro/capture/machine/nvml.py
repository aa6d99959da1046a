"""GPUs and versions that the NVIDIA driver reports through NVML."""
# ruff: noqa: N802, D102 - the names are NVML's, which documents them

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol, TypeVar, cast

from wandb_repro.capture.guard import guarded, guarded_within
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Gpu

T = TypeVar("T")

DEADLINE_S = 2.0
"""NVML has been seen to hang on a broken driver."""


class _Memory(Protocol):
    @property
    def total(self) -> int: ...


class _Process(Protocol):
    @property
    def pid(self) -> int: ...


class Nvml(Protocol):
    """The part of nvidia-ml-py that is used. Every function may raise ``NVMLError``."""

    NVMLError: type[Exception]

    def nvmlInit(self) -> None: ...
    def nvmlShutdown(self) -> None: ...
    def nvmlSystemGetDriverVersion(self) -> str | bytes: ...
    def nvmlSystemGetCudaDriverVersion_v2(self) -> int: ...
    def nvmlDeviceGetCount(self) -> int: ...
    def nvmlDeviceGetHandleByIndex(self, index: int) -> object: ...
    def nvmlDeviceGetName(self, handle: object) -> str | bytes: ...
    def nvmlDeviceGetUUID(self, handle: object) -> str | bytes: ...
    def nvmlDeviceGetMemoryInfo(self, handle: object) -> _Memory: ...
    def nvmlDeviceGetCudaComputeCapability(self, handle: object) -> Sequence[int]: ...
    def nvmlDeviceGetMigMode(self, handle: object) -> Sequence[int]: ...
    def nvmlDeviceGetComputeRunningProcesses(self, handle: object) -> Sequence[_Process]: ...


class Driver(NamedTuple):
    """The answers of NVML."""

    gpus: tuple[Gpu, ...] | Unavailable
    version: str | Unavailable
    cuda: str | Unavailable


def load_nvml() -> Nvml:
    """Return nvidia-ml-py."""
    import pynvml  # takes 15 ms, so only a recording imports it

    return cast(Nvml, pynvml)


def ask_nvml(load: Callable[[], Nvml], process_id: int) -> Driver:
    """Return what the driver reports within two seconds, or why it reports nothing."""
    found = guarded_within(
        DEADLINE_S, lambda: _ask(load(), process_id), "NVML", expects=(ImportError,)
    )
    return Driver(found, found, found) if isinstance(found, Unavailable) else found


def _ask(nvml: Nvml, process_id: int) -> Driver:
    # NVML counts calls of nvmlInit and nvmlShutdown, so other users of it are not disturbed.
    begun = _guarded(nvml, nvml.nvmlInit, "NVML")
    if isinstance(begun, Unavailable):
        return Driver(begun, begun, begun)
    try:
        return Driver(
            gpus=_guarded(nvml, lambda: _gpus(nvml, process_id), "GPUs"),
            version=_guarded(
                nvml, lambda: _text(nvml.nvmlSystemGetDriverVersion()), "driver version"
            ),
            cuda=_guarded(
                nvml, lambda: _cuda(nvml.nvmlSystemGetCudaDriverVersion_v2()), "CUDA version"
            ),
        )
    finally:
        _guarded(nvml, nvml.nvmlShutdown, "NVML's end")


def _guarded(nvml: Nvml, probe: Callable[[], T], what: str) -> T | Unavailable:
    return guarded(probe, what, expects=(nvml.NVMLError,))


def _gpus(nvml: Nvml, process_id: int) -> tuple[Gpu, ...]:
    return tuple(_gpu(nvml, index, process_id) for index in range(nvml.nvmlDeviceGetCount()))


def _gpu(nvml: Nvml, index: int, process_id: int) -> Gpu:
    handle = nvml.nvmlDeviceGetHandleByIndex(index)
    return Gpu(
        name=_text(nvml.nvmlDeviceGetName(handle)),
        uuid=_guarded(nvml, lambda: _text(nvml.nvmlDeviceGetUUID(handle)), "UUID"),
        memory_bytes=_guarded(
            nvml, lambda: int(nvml.nvmlDeviceGetMemoryInfo(handle).total), "memory"
        ),
        compute_capability=_guarded(
            nvml,
            lambda: ".".join(map(str, nvml.nvmlDeviceGetCudaComputeCapability(handle))),
            "compute capability",
        ),
        # The mode now and the mode after a reset; 1 is on.
        mig=_guarded(nvml, lambda: nvml.nvmlDeviceGetMigMode(handle)[0] == 1, "MIG"),
        other_processes=_guarded(nvml, lambda: _others(nvml, handle, process_id), "processes"),
    )


def _others(nvml: Nvml, handle: object, process_id: int) -> int:
    # NOTE: NVML reports process ids of the machine. In a container with its own ids this process
    # is not recognised, and counts as another one once it uses the GPU.
    running = nvml.nvmlDeviceGetComputeRunningProcesses(handle)
    return sum(process.pid != process_id for process in running)


def _text(value: str | bytes) -> str:
    """Return text: nvidia-ml-py before 11.515 returned bytes."""
    return value.decode() if isinstance(value, bytes) else value


def _cuda(number: int) -> str:
    """Return ``MAJOR.MINOR``; NVML reports 1000 * MAJOR + 10 * MINOR."""
    return f"{number // 1000}.{number % 1000 // 10}"
