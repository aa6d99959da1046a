"""Keras and its backends made of values, as ``sys.modules`` would hold them."""

from __future__ import annotations

from dataclasses import dataclass
from types import ModuleType, SimpleNamespace

from tests.support.fake_host import fake_module
from wandb_repro.manifest.machine import Framework

__all__ = ["FakeModel", "framework", "jax", "keras", "tensorflow", "torch"]


def keras(backend: str = "tensorflow") -> dict[str, ModuleType]:
    """Return Keras on this backend."""
    config = SimpleNamespace(
        backend=lambda: backend,
        floatx=lambda: "float32",
        dtype_policy=lambda: SimpleNamespace(name="mixed_float16"),
    )
    return {"keras": fake_module("keras", __version__="3.15.1", config=config)}


def tensorflow(*, intra: int = 0, inter: int = 0) -> dict[str, ModuleType]:
    """Return TensorFlow with these widths set."""
    threading = SimpleNamespace(
        get_intra_op_parallelism_threads=lambda: intra,
        get_inter_op_parallelism_threads=lambda: inter,
    )
    experimental = SimpleNamespace(tensor_float_32_execution_enabled=lambda: True)
    outer = fake_module(
        "tensorflow",
        __version__="2.21.0",
        version=SimpleNamespace(GIT_VERSION="v2.21.0-0-gabc"),
        config=SimpleNamespace(threading=threading, experimental=experimental),
    )
    inner = fake_module("config", is_op_determinism_enabled=lambda: True)
    return {"tensorflow": outer, "tensorflow.python.framework.config": inner}


def torch() -> dict[str, ModuleType]:
    """Return PyTorch."""
    matmul = SimpleNamespace(allow_tf32=False)
    module = fake_module(
        "torch",
        __version__="2.9.0+cpu",
        version=SimpleNamespace(git_version="abc"),
        backends=SimpleNamespace(cuda=SimpleNamespace(matmul=matmul)),
        get_num_threads=lambda: 4,
        get_num_interop_threads=lambda: 8,
        are_deterministic_algorithms_enabled=lambda: False,
    )
    return {"torch": module}


def jax() -> dict[str, ModuleType]:
    """Return JAX and its compiled half."""
    return {
        "jax": fake_module("jax", __version__="0.8.0"),
        "jaxlib": fake_module("jaxlib", __version__="0.8.1"),
    }


@dataclass
class FakeModel:
    """As far as the probes ask a Keras model."""

    compiled: bool = True
    jit_compile: object = True
    run_eagerly: object = False
    steps_per_execution: object = 4


def framework(*, backend: str = "tensorflow", intra_op_threads: int = 0) -> Framework:
    """Return a record of a framework."""
    return Framework(
        keras="3.15.1",
        backend=backend,
        backend_version="1",
        backend_build="1",
        floatx="float32",
        dtype_policy="float32",
        jit_compile=False,
        run_eagerly=False,
        steps_per_execution=1,
        intra_op_threads=intra_op_threads,
        inter_op_threads=0,
        tensor_float_32=True,
        op_determinism=True,
    )
