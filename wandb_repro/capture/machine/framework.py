"""Keras and its backend, as they stand when a model trains. Never imports them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import ModuleType
from typing import NamedTuple, Protocol, TypeVar, cast

from wandb_repro.capture.guard import fact, guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.backends import BACKENDS, Backend
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework

T = TypeVar("T")


class _Policy(Protocol):
    name: str


class _KerasConfig(Protocol):
    def backend(self) -> str: ...
    def floatx(self) -> str: ...
    def dtype_policy(self) -> _Policy: ...


class _Keras(Protocol):
    __version__: str
    config: _KerasConfig


class _Model(Protocol):
    compiled: bool
    jit_compile: object
    run_eagerly: bool
    steps_per_execution: int


def probe_framework(host: Host, model: object | None) -> Framework | Unavailable:
    """Return Keras, its backend and how the model was compiled.

    Args:
        host: the process.
        model: the Keras model about to train; None before there is one. Without it nothing
            is read that would make TensorFlow look for its devices.
    """
    module = host.modules.get("keras")
    if module is None:
        return Unavailable(unavailable="Keras was not imported")
    return guarded(lambda: _framework(host, cast(_Keras, module), model), "Keras")


def _framework(host: Host, keras: _Keras, model: object | None) -> Framework | Unavailable:
    # While Keras is still being imported, it has neither.
    name = fact(str, lambda: keras.config.backend(), "Keras")
    version = fact(str, lambda: keras.__version__, "Keras")
    if isinstance(name, Unavailable):
        return name
    if isinstance(version, Unavailable):
        return version
    backend = _backend(host.modules, name)
    compiled = _Compiled.of(model)
    return Framework(
        keras=version,
        backend=name,
        backend_version=_ask(str, backend, lambda it: it.version(), "version"),
        backend_build=_ask(str, backend, lambda it: it.build(), "build"),
        floatx=fact(str, lambda: keras.config.floatx(), "floatx"),
        dtype_policy=fact(str, lambda: keras.config.dtype_policy().name, "dtype policy"),
        jit_compile=compiled.jit_compile,
        run_eagerly=compiled.run_eagerly,
        steps_per_execution=compiled.steps_per_execution,
        intra_op_threads=_threads(model, backend, lambda it: it.intra_op_threads(), "intra-op"),
        inter_op_threads=_threads(model, backend, lambda it: it.inter_op_threads(), "inter-op"),
        tensor_float_32=_ask(bool, backend, lambda it: it.tensor_float_32(), "TF32"),
        op_determinism=_ask(bool, backend, lambda it: it.op_determinism(), "op determinism"),
    )


def _ask(
    kind: type[T],
    backend: Backend | Unavailable,
    question: Callable[[Backend], object],
    what: str,
) -> T | Unavailable:
    if isinstance(backend, Unavailable):
        return backend
    return fact(kind, lambda: question(backend), what)


def _threads(
    model: object | None,
    backend: Backend | Unavailable,
    question: Callable[[Backend], int],
    what: str,
) -> int | Unavailable:
    # NOTE: in TensorFlow 2.21 this question makes it look for its devices, after which
    # CUDA_VISIBLE_DEVICES is fixed. Once a model trains that has happened anyway.
    # Source: tensorflow/python/eager/context.py, Context.config.
    if model is None:
        return Unavailable(unavailable=f"{what} threads are read when a model trains")
    return _ask(int, backend, question, f"{what} threads")


class _Compiled(NamedTuple):
    """How a model was compiled."""

    jit_compile: bool | Unavailable
    run_eagerly: bool | Unavailable
    steps_per_execution: int | Unavailable

    @classmethod
    def of(cls, model: object | None) -> _Compiled:
        if model is None:
            return cls(*[Unavailable(unavailable="no model trained yet")] * 3)
        known = cast(_Model, model)
        if not getattr(model, "compiled", False):
            # Asking anyway would make Keras decide, and keep, what compile() may yet change.
            return cls(*[Unavailable(unavailable="the model was not compiled")] * 3)
        return cls(
            fact(bool, lambda: known.jit_compile, "jit_compile"),
            fact(bool, lambda: known.run_eagerly, "run_eagerly"),
            fact(int, lambda: known.steps_per_execution, "steps_per_execution"),
        )


def _backend(modules: Mapping[str, ModuleType], name: str) -> Backend | Unavailable:
    module = modules.get(name)
    if module is None:
        return Unavailable(unavailable=f"{name} was not imported")
    known = BACKENDS.get(name)
    if known is None:
        return Unavailable(unavailable=f"the backend {name} is not known to wandb_repro")
    return known(modules)
