"""Reads Keras and its backend when a model trains; never imports them."""

from __future__ import annotations

from typing import Any, TypeVar

from wandb_repro.capture.guard import fact, guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.backends import Question, backend_of
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework

T = TypeVar("T")


def probe_framework(host: Host, model: object | None) -> Framework | Unavailable:
    """Return Keras, its backend and how the model was compiled.

    Args:
        host: the process.
        model: the Keras model about to train; None before there is one. Without it, settings that
            make TensorFlow look for its devices are not read.
    """
    if "keras" not in host.modules:
        return Unavailable(unavailable="Keras was not imported")
    return guarded(lambda: _framework(host, host.modules["keras"], model), "Keras")


def _framework(host: Host, keras: Any, model: object | None) -> Framework | Unavailable:
    # A Keras that is still being imported has neither.
    name = fact(str, lambda: keras.config.backend(), "Keras", expects=(AttributeError,))
    version = fact(str, lambda: keras.__version__, "Keras", expects=(AttributeError,))
    if isinstance(name, Unavailable):
        return name
    if isinstance(version, Unavailable):
        return version
    backend = backend_of(host.modules, name)
    return Framework(
        keras=version,
        backend=name,
        backend_version=_ask(str, backend.version, "version"),
        backend_build=_ask(str, backend.build, "build"),
        floatx=fact(str, lambda: keras.config.floatx(), "floatx"),
        dtype_policy=fact(str, lambda: keras.config.dtype_policy().name, "dtype policy"),
        jit_compile=_compiled(bool, model, "jit_compile"),
        run_eagerly=_compiled(bool, model, "run_eagerly"),
        steps_per_execution=_compiled(int, model, "steps_per_execution"),
        intra_op_threads=_threads(model, backend.intra_op_threads, "intra-op threads"),
        inter_op_threads=_threads(model, backend.inter_op_threads, "inter-op threads"),
        tensor_float_32=_ask(bool, backend.tensor_float_32, "TF32"),
        op_determinism=_ask(bool, backend.op_determinism, "op determinism"),
    )


def _ask(kind: type[T], question: Question, what: str) -> T | Unavailable:
    if isinstance(question, str):
        return Unavailable(unavailable=question)
    # Some versions have no such attribute, some builds no such module.
    return fact(kind, question, what, expects=(AttributeError, KeyError))


def _threads(model: object | None, question: Question, what: str) -> int | Unavailable:
    # NOTE: in TensorFlow 2.21 this call makes it look for its devices, after which
    # CUDA_VISIBLE_DEVICES is fixed. When a model trains, that has already happened.
    # Source: tensorflow/python/eager/context.py, Context.config.
    if model is None:
        return Unavailable(unavailable=f"{what} are read when a model trains")
    return _ask(int, question, what)


def _compiled(kind: type[T], model: object | None, name: str) -> T | Unavailable:
    """Return how a model was compiled, or why that is not known."""
    if model is None:
        return Unavailable(unavailable="no model trained yet")
    # Reading it would make Keras decide, and keep, a value that compile() may still change.
    if not getattr(model, "compiled", False):
        return Unavailable(unavailable="the model was not compiled")
    return fact(kind, lambda: getattr(model, name), name)
