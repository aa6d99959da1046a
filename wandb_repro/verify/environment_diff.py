"""Differences between the environments of two runs: processor, framework, GPU, packages, OS."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Accelerator, Framework, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.manifest.switches import THREADS_VARIABLE
from wandb_repro.verify.compare_values import both_are, both_recorded, differ, differ_in
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.package_diff import package_differences
from wandb_repro.verify.processor_diff import processor_differences


def environment_differences(original: Manifest, here: Manifest) -> Iterator[Finding]:
    """Yield every difference between two environments, not ordered by likelihood."""
    yield from _runtime(original, here)
    yield from _framework(original, here)
    yield from _accelerator(original, here)
    yield from package_differences(original, here)
    yield from _machine(original, here)


def frameworks(original: Manifest, here: Manifest) -> tuple[Framework, Framework] | None:
    """Return both records of Keras and its backend; None if one is missing."""
    both = both_are(Runtime, original.description.runtime, here.description.runtime)
    return both_are(Framework, both[0].framework, both[1].framework) if both else None


def _runtime(original: Manifest, here: Manifest) -> Iterator[Finding]:
    sides = original.description.runtime, here.description.runtime
    both = yield from both_recorded(Runtime, "processor", "processor and threads", *sides)
    if not both:
        return
    before, now = both
    cure = f"set {THREADS_VARIABLE}={{}}"
    threads = {"intra-op threads": "intra_op_threads"}
    yield from differ_in("threads", before, now, threads, "changes bits", cure)
    yield from processor_differences(original, here, before.processor, now.processor)
    yield from differ("switch", "PYTHONHASHSEED", before.hash_seed, now.hash_seed, "explains")


_FRAMEWORK = (
    # fact, field, cure: {} stands for the original's value
    ("Keras backend", "backend", "set KERAS_BACKEND={}"),
    ("backend build", "backend_build", "install {}"),
    ("float type", "floatx", "set floatx to {} in keras.json"),
    ("dtype policy", "dtype_policy", "set it to {}"),
    ("jit_compile", "jit_compile", ""),
    ("run_eagerly", "run_eagerly", ""),
    ("TF32", "tensor_float_32", "turn TF32 {}"),
)
_HARMLESS = {"inter-op threads": "inter_op_threads", "steps_per_execution": "steps_per_execution"}
_VERSIONS = {"Keras version": "keras", "backend version": "backend_version"}


def _framework(original: Manifest, here: Manifest) -> Iterator[Finding]:
    both = frameworks(original, here)
    if not both:
        return
    before, now = both
    for fact, field, cure in _FRAMEWORK:
        cure = cure or _compile_argument(field, getattr(before, field))
        yield from differ_in("framework", before, now, {fact: field}, "changes bits", cure)
    yield from differ(
        "determinism",
        "op determinism",
        before.op_determinism,
        now.op_determinism,
        "changes bits",
        f"pass deterministic={before.op_determinism is True} to init",
    )
    yield from differ_in("framework", before, now, _HARMLESS, "explains")
    # If both recorded their packages, those already show a difference of versions.
    if not both_are(Packages, original.execution.packages, here.execution.packages):
        yield from differ_in("framework", before, now, _VERSIONS, "changes bits")


def _compile_argument(name: str, value: object) -> str:
    if isinstance(value, bool):
        return f"pass {name}={value} to compile"
    return f"set {name} as in the original"


_SAME_GPU = "rerun on the original's GPU, or record the run again on this one"
_GPU_LIBRARIES = {
    "GPU driver": "driver",
    "CUDA build": "cuda_build",
    "cuDNN build": "cudnn_build",
    "loaded GPU libraries": "loaded_libraries",
}


def _accelerator(original: Manifest, here: Manifest) -> Iterator[Finding]:
    sides = original.description.accelerator, here.description.accelerator
    both = yield from both_recorded(Accelerator, "accelerator", "GPUs and their libraries", *sides)
    if not both:
        return
    before, now = both
    yield from differ("accelerator", "GPUs", _gpus(before), _gpus(now), "changes bits", _SAME_GPU)
    cure = "install the original's: {}"
    yield from differ_in("accelerator", before, now, _GPU_LIBRARIES, "may change bits", cure)


def has_gpu(manifest: Manifest) -> bool:
    """Tell whether a run had a GPU, or may have had one: True if that was not recorded."""
    accelerator = manifest.description.accelerator
    return not isinstance(accelerator, Accelerator) or not isinstance(accelerator.gpus, Unavailable)


def _gpus(accelerator: Accelerator) -> object:
    if isinstance(accelerator.gpus, Unavailable):
        return "none"
    return tuple(gpu.name for gpu in accelerator.gpus)


_MACHINE = {
    "operating system": "os",
    "kernel": "kernel",
    "host": "hostname",
    "memory": "memory_bytes",
    "container image": "container",
}


def _machine(original: Manifest, here: Manifest) -> Iterator[Finding]:
    before, now = original.description.machine, here.description.machine
    if not isinstance(before, Unavailable) and not isinstance(now, Unavailable):
        yield from differ_in("machine", before, now, _MACHINE, "explains")
