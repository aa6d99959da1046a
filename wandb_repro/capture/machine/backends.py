"""What TensorFlow, JAX and PyTorch say of themselves. Handed in imported; never imported here."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import NoReturn, Protocol, cast


class Backend(Protocol):
    """The questions put to a backend. Whatever cannot be answered raises."""

    def version(self) -> str:
        """Return its version."""
        ...

    def build(self) -> str:
        """Return what it says of its own build."""
        ...

    def intra_op_threads(self) -> int:
        """Return how many threads one operation was given; 0 means the default."""
        ...

    def inter_op_threads(self) -> int:
        """Return how many operations run at a time; 0 means the default."""
        ...

    def tensor_float_32(self) -> bool:
        """Tell whether TF32 may be used for matrix products."""
        ...

    def op_determinism(self) -> bool:
        """Tell whether its deterministic operations are on."""
        ...


class _TfVersion(Protocol):
    GIT_VERSION: str


class _TfThreading(Protocol):
    def get_intra_op_parallelism_threads(self) -> int: ...
    def get_inter_op_parallelism_threads(self) -> int: ...


class _TfExperimental(Protocol):
    def tensor_float_32_execution_enabled(self) -> bool: ...


class _TfConfig(Protocol):
    threading: _TfThreading
    experimental: _TfExperimental


class _TfModule(Protocol):
    __version__: str
    version: _TfVersion
    config: _TfConfig


class _TfInternalConfig(Protocol):
    def is_op_determinism_enabled(self) -> bool: ...


class _TensorFlow:
    """TensorFlow, from 2.16."""

    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        self._tf = cast(_TfModule, modules["tensorflow"])
        self._modules = modules

    def version(self) -> str:
        return self._tf.__version__

    def build(self) -> str:
        return self._tf.version.GIT_VERSION

    def intra_op_threads(self) -> int:
        return self._tf.config.threading.get_intra_op_parallelism_threads()

    def inter_op_threads(self) -> int:
        return self._tf.config.threading.get_inter_op_parallelism_threads()

    def tensor_float_32(self) -> bool:
        return self._tf.config.experimental.tensor_float_32_execution_enabled()

    def op_determinism(self) -> bool:
        # NOTE: TensorFlow 2.21 exports the switch and not the question.
        inner = self._modules["tensorflow.python.framework.config"]
        return cast(_TfInternalConfig, inner).is_op_determinism_enabled()


class _TorchVersion(Protocol):
    git_version: str


class _TorchMatmul(Protocol):
    allow_tf32: bool


class _TorchCuda(Protocol):
    matmul: _TorchMatmul


class _TorchBackends(Protocol):
    cuda: _TorchCuda


class _TorchModule(Protocol):
    __version__: str
    version: _TorchVersion
    backends: _TorchBackends

    def get_num_threads(self) -> int: ...
    def get_num_interop_threads(self) -> int: ...
    def are_deterministic_algorithms_enabled(self) -> bool: ...


class _Torch:
    """PyTorch, from 2.1."""

    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        self._torch = cast(_TorchModule, modules["torch"])

    def version(self) -> str:
        # NOTE: torch's version is a subclass of str, which strict records refuse.
        return str(self._torch.__version__)

    def build(self) -> str:
        return self._torch.version.git_version

    def intra_op_threads(self) -> int:
        return self._torch.get_num_threads()

    def inter_op_threads(self) -> int:
        return self._torch.get_num_interop_threads()

    def tensor_float_32(self) -> bool:
        return self._torch.backends.cuda.matmul.allow_tf32

    def op_determinism(self) -> bool:
        return self._torch.are_deterministic_algorithms_enabled()


class _Versioned(Protocol):
    __version__: str


class _Jax:
    """JAX: its kernels come from XLA, whose switches stand in ``XLA_FLAGS``."""

    def __init__(self, modules: Mapping[str, ModuleType]) -> None:
        self._modules = modules

    def version(self) -> str:
        return cast(_Versioned, self._modules["jax"]).__version__

    def build(self) -> str:
        return "jaxlib " + cast(_Versioned, self._modules["jaxlib"]).__version__

    def intra_op_threads(self) -> int:
        _refuse("JAX has no setting for its threads: it takes the schedulable cores")

    def inter_op_threads(self) -> int:
        _refuse("JAX has no setting for its threads")

    def tensor_float_32(self) -> bool:
        _refuse("JAX chooses by jax_default_matmul_precision")

    def op_determinism(self) -> bool:
        _refuse("JAX has no such switch; XLA's are in XLA_FLAGS")


def _refuse(reason: str) -> NoReturn:
    raise NotImplementedError(reason)


BACKENDS: dict[str, Callable[[Mapping[str, ModuleType]], Backend]] = {
    "tensorflow": _TensorFlow,
    "torch": _Torch,
    "jax": _Jax,
}
"""By the name that ``keras.config.backend()`` gives."""
