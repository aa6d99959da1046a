"""What the run computed on: OS, processor, threads, framework and GPUs.

Explains differences; a rerun restores none of it from here.
"""

from __future__ import annotations

from wandb_repro.manifest.base import Record, Unavailable


class Gpu(Record):
    """One NVIDIA GPU, as NVML reports it."""

    name: str
    uuid: str | Unavailable
    memory_bytes: int | Unavailable
    compute_capability: str | Unavailable
    """Such as ``9.0``."""
    mig: bool | Unavailable
    """Whether it is split into instances."""
    other_processes: int | Unavailable
    """Number of other processes with memory on it when training began."""


class Accelerator(Record):
    """The GPU stack. On a machine without a GPU every field is unavailable."""

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


class Machine(Record):
    """Operating system, container and memory."""

    os: str
    """Such as ``Debian GNU/Linux 12 (bookworm)``."""
    kernel: str
    hostname: str | Unavailable
    memory_bytes: int | Unavailable
    container: str | Unavailable
    """Name of the image that the process runs in, if it can be found from inside."""


class Processor(Record):
    """The CPU as the process sees it."""

    model: str | Unavailable
    architecture: str
    """``x86_64``, ``aarch64``."""
    instruction_sets: tuple[str, ...] | Unavailable
    """Vector extensions by which numeric kernels are chosen, sorted: ``avx2``, ``avx512f``, ..."""
    logical_cores: int | Unavailable
    """Cores of the machine."""
    affinity_cores: int | Unavailable
    """Cores that this process may run on."""
    cgroup_cores: float | Unavailable
    """CPU quota of the control group, in cores."""
    caches: tuple[str, ...] | Unavailable
    """Sizes of cpu0's caches, such as ``L1d 48K``; Eigen chooses loop blocks by them."""


class Framework(Record):
    """Keras and its backend, read when training begins."""

    keras: str
    """Version."""
    backend: str
    """``tensorflow``, ``jax`` or ``torch``."""
    backend_version: str | Unavailable
    backend_build: str | Unavailable
    """Build that the backend reports, such as ``v2.21.0-rc1-...``."""
    floatx: str | Unavailable
    """``keras.config.floatx()``."""
    dtype_policy: str | Unavailable
    """``keras.config.dtype_policy().name``."""
    jit_compile: bool | Unavailable
    """As the model resolved it."""
    run_eagerly: bool | Unavailable
    steps_per_execution: int | Unavailable
    intra_op_threads: int | Unavailable
    """As set in the backend (``tf.config.threading``); 0 means the default."""
    inter_op_threads: int | Unavailable
    tensor_float_32: bool | Unavailable
    """Whether TF32 may be used."""
    op_determinism: bool | Unavailable
    """Whether the backend's deterministic operations were on when training began."""


class Runtime(Record):
    """What can change bits although the script stays the same."""

    processor: Processor
    intra_op_threads: int
    """Threads of one operation: as set in the backend, else TF_NUM_INTRAOP_THREADS, else the
    cores that the process may run on. 0 if the system does not report those."""
    intra_op_source: str
    """Where that number comes from."""
    hash_seed: str
    """``PYTHONHASHSEED``, or ``random``: a rerun then orders sets of strings differently."""
    framework: Framework | Unavailable
