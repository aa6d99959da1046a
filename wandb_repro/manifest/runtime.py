"""What the process computes with: processor, threads, switches of the frameworks."""

from __future__ import annotations

from wandb_repro.manifest.base import Record, Unavailable

__all__ = ["Framework", "Processor", "Runtime"]


class Processor(Record):
    """The CPU as the process sees it."""

    model: str | Unavailable
    architecture: str
    """``x86_64``, ``aarch64``."""
    instruction_sets: tuple[str, ...] | Unavailable
    """Vector extensions that numeric kernels choose by, sorted: ``avx2``, ``avx512f``, ..."""
    logical_cores: int | Unavailable
    """Of the machine."""
    affinity_cores: int | Unavailable
    """That this process may be scheduled on."""
    cgroup_cores: float | Unavailable
    """CPU quota of the control group, in cores."""
    caches: tuple[str, ...] | Unavailable
    """Sizes of cpu0's caches, such as ``L1d 48K``: Eigen blocks its loops by them."""


class Framework(Record):
    """Keras and its backend, read once a model trains."""

    keras: str
    """Version."""
    backend: str
    """``tensorflow``, ``jax`` or ``torch``."""
    backend_version: str | Unavailable
    backend_build: str | Unavailable
    """What the backend says of its own build, such as ``v2.21.0-rc1-...``."""
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
    """What changes bits without any line of the script changing."""

    processor: Processor
    intra_op_threads: int
    """Effective width of one operation: what the backend was told, else TF_NUM_INTRAOP_THREADS,
    else the schedulable cores. 0 where the system does not tell those."""
    intra_op_source: str
    """Where that number comes from."""
    hash_seed: str
    """``PYTHONHASHSEED``, or ``random``: then the order of sets of strings cannot be repeated."""
    framework: Framework | Unavailable
