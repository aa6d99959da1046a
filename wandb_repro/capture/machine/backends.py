"""Reads version and settings of TensorFlow, JAX and PyTorch; never imports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any, NamedTuple, TypeAlias

Question: TypeAlias = "Callable[[], object] | str"
"""A function that reads a setting of the backend, or the reason why it has no such setting."""


class Backend(NamedTuple):
    """How to read a backend's settings. Some versions lack some of them."""

    version: Question
    build: Question
    """Its own description of its build."""
    intra_op_threads: Question
    """Threads of one operation; 0 means the default."""
    inter_op_threads: Question
    """Operations that run at a time; 0 means the default."""
    tensor_float_32: Question
    """Whether TF32 may be used for matrix products."""
    op_determinism: Question
    """Whether its deterministic operations are on."""


def backend_of(modules: Mapping[str, ModuleType], name: str) -> Backend:
    """Return how to read a backend's settings; if it cannot be read, each is the reason.

    Args:
        modules: ``sys.modules``.
        name: as ``keras.config.backend()`` returns it.
    """
    if name not in modules:
        reason = f"{name} was not imported"
    elif name not in _BACKENDS:
        reason = f"the backend {name} is not known to wandb_repro"
    else:
        return _BACKENDS[name](modules)
    return Backend(*[reason] * len(Backend._fields))


def _tensorflow(modules: Mapping[str, ModuleType]) -> Backend:
    """Read TensorFlow, from 2.16."""
    tf: Any = modules["tensorflow"]

    def op_determinism() -> object:
        # NOTE: TensorFlow 2.21 exports only the function that sets it.
        inner: Any = modules["tensorflow.python.framework.config"]
        return inner.is_op_determinism_enabled()

    return Backend(
        version=lambda: tf.__version__,
        build=lambda: tf.version.GIT_VERSION,
        intra_op_threads=lambda: tf.config.threading.get_intra_op_parallelism_threads(),
        inter_op_threads=lambda: tf.config.threading.get_inter_op_parallelism_threads(),
        tensor_float_32=lambda: tf.config.experimental.tensor_float_32_execution_enabled(),
        op_determinism=op_determinism,
    )


def _torch(modules: Mapping[str, ModuleType]) -> Backend:
    """Read PyTorch, from 2.1."""
    torch: Any = modules["torch"]
    return Backend(
        # NOTE: torch's version is a subclass of str, which strict records refuse.
        version=lambda: str(torch.__version__),
        build=lambda: torch.version.git_version,
        intra_op_threads=lambda: torch.get_num_threads(),
        inter_op_threads=lambda: torch.get_num_interop_threads(),
        tensor_float_32=lambda: torch.backends.cuda.matmul.allow_tf32,
        op_determinism=lambda: torch.are_deterministic_algorithms_enabled(),
    )


def _jax(modules: Mapping[str, ModuleType]) -> Backend:
    """Read JAX: its kernels come from XLA, whose switches are in ``XLA_FLAGS``."""
    return Backend(
        version=lambda: modules["jax"].__version__,
        build=lambda: f"jaxlib {modules['jaxlib'].__version__}",
        intra_op_threads="JAX has no setting for its threads: it takes the schedulable cores",
        inter_op_threads="JAX has no setting for its threads",
        tensor_float_32="JAX chooses by jax_default_matmul_precision",
        op_determinism="JAX has no such switch; XLA's are in XLA_FLAGS",
    )


_BACKENDS = {"tensorflow": _tensorflow, "torch": _torch, "jax": _jax}
