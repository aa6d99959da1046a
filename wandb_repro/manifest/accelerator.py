"""GPUs, and the libraries that drive them."""

from __future__ import annotations

from wandb_repro.manifest.base import Record, Unavailable

__all__ = ["Accelerator", "Gpu"]


class Gpu(Record):
    """One NVIDIA GPU, as NVML tells it."""

    name: str
    uuid: str | Unavailable
    memory_bytes: int | Unavailable
    compute_capability: str | Unavailable
    """Such as ``9.0``."""
    mig: bool | Unavailable
    """Whether it is split into instances."""
    other_processes: int | Unavailable
    """How many processes beside this one held memory on it when training began."""


class Accelerator(Record):
    """The GPU stack. On a machine without one, every field says so."""

    gpus: tuple[Gpu, ...] | Unavailable
    driver: str | Unavailable
    """Version of the NVIDIA driver."""
    cuda_driver: str | Unavailable
    """CUDA version that the driver supports, such as ``13.0``."""
    cuda_build: str | Unavailable
    """CUDA version that TensorFlow was built with."""
    cudnn_build: str | Unavailable
    """cuDNN version that TensorFlow was built with."""
    loaded_libraries: tuple[str, ...] | Unavailable
    """File names of the CUDA, cuDNN, cuBLAS and NCCL libraries mapped into the process."""
