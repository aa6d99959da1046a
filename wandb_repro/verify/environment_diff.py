"""Differences between the environments of two runs: processor, framework, GPU, packages, OS."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Accelerator, Framework, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Packages
from wandb_repro.verify.compare_values import both_are, differ, recorded, text
from wandb_repro.verify.finding import Finding
from wandb_repro.verify.package_diff import package_differences
from wandb_repro.verify.processor_diff import processor_differences

THREADS_VARIABLE = "TF_NUM_INTRAOP_THREADS"


def environment_differences(original: Manifest, here: Manifest) -> Iterator[Finding]:
    """Yield every difference between two environments, not ordered by likelihood."""
    yield from _runtime(original, here)
    yield from _framework(original, here)
    yield from _accelerator(original, here)
    yield from package_differences(original, here)
    yield from _machine(original, here)


def frameworks(original: Manifest, here: Manifest) -> tuple[Framework, Framework] | None:
    """Return what both runs recorded of Keras and its backend; None if one did not record it."""
    both = both_are(Runtime, original.description.runtime, here.description.runtime)
    return both_are(Framework, both[0].framework, both[1].framework) if both else None


def _runtime(original: Manifest, here: Manifest) -> Iterator[Finding]:
    sides = original.description.runtime, here.description.runtime
    yield from recorded("processor", "processor and threads", *sides)
    both = both_are(Runtime, *sides)
    if not both:
        return
    one, two = both
    yield from differ(
        "threads",
        "intra-op threads",
        one.intra_op_threads,
        two.intra_op_threads,
        "changes bits",
        f"set {THREADS_VARIABLE}={one.intra_op_threads}",
    )
    yield from processor_differences(original, here, one.processor, two.processor)
    yield from differ("switch", "PYTHONHASHSEED", one.hash_seed, two.hash_seed, "explains")


_SAME_GPU = "rerun on the original's GPU, or record the run again on this one"


def _framework(original: Manifest, here: Manifest) -> Iterator[Finding]:
    both = frameworks(original, here)
    if not both:
        return
    one, two = both
    for fact, mine, yours, cure in (
        ("Keras backend", one.backend, two.backend, f"set KERAS_BACKEND={one.backend}"),
        (
            "backend build",
            one.backend_build,
            two.backend_build,
            f"install {text(one.backend_build)}",
        ),
        ("float type", one.floatx, two.floatx, f"set floatx to {text(one.floatx)} in keras.json"),
        ("dtype policy", one.dtype_policy, two.dtype_policy, f"set it to {text(one.dtype_policy)}"),
        (
            "jit_compile",
            one.jit_compile,
            two.jit_compile,
            _compiled("jit_compile", one.jit_compile),
        ),
        (
            "run_eagerly",
            one.run_eagerly,
            two.run_eagerly,
            _compiled("run_eagerly", one.run_eagerly),
        ),
        (
            "TF32",
            one.tensor_float_32,
            two.tensor_float_32,
            f"turn TF32 {text(one.tensor_float_32)}",
        ),
    ):
        yield from differ("framework", fact, mine, yours, "changes bits", cure)
    yield from differ(
        "determinism",
        "op determinism",
        one.op_determinism,
        two.op_determinism,
        "changes bits",
        f"pass deterministic={one.op_determinism is True} to init",
    )
    for fact, mine, yours in (
        ("inter-op threads", one.inter_op_threads, two.inter_op_threads),
        ("steps_per_execution", one.steps_per_execution, two.steps_per_execution),
    ):
        yield from differ("framework", fact, mine, yours, "explains")
    if not both_are(Packages, original.execution.packages, here.execution.packages):
        yield from _versions(one, two)


def _versions(one: Framework, two: Framework) -> Iterator[Finding]:
    for fact, mine, yours in (
        ("Keras version", one.keras, two.keras),
        ("backend version", one.backend_version, two.backend_version),
    ):
        yield from differ("framework", fact, mine, yours, "changes bits")


def _compiled(name: str, value: object) -> str:
    return (
        f"pass {name}={value} to compile"
        if isinstance(value, bool)
        else f"set {name} as in the original"
    )


def _accelerator(original: Manifest, here: Manifest) -> Iterator[Finding]:
    sides = original.description.accelerator, here.description.accelerator
    yield from recorded("accelerator", "GPUs and their libraries", *sides)
    both = both_are(Accelerator, *sides)
    if not both:
        return
    one, two = both
    yield from differ("accelerator", "GPUs", _gpus(one), _gpus(two), "changes bits", _SAME_GPU)
    for fact, mine, yours in (
        ("GPU driver", one.driver, two.driver),
        ("CUDA build", one.cuda_build, two.cuda_build),
        ("cuDNN build", one.cudnn_build, two.cudnn_build),
        ("loaded GPU libraries", one.loaded_libraries, two.loaded_libraries),
    ):
        cure = f"install the original's: {text(mine)}"
        yield from differ("accelerator", fact, mine, yours, "may change bits", cure)


def has_gpu(manifest: Manifest) -> bool:
    """Tell whether a run had a GPU, or may have had one: true where that was not recorded."""
    found = manifest.description.accelerator
    return not isinstance(found, Accelerator) or not isinstance(found.gpus, Unavailable)


def _gpus(accelerator: Accelerator) -> object:
    if isinstance(accelerator.gpus, Unavailable):
        return "none"
    return tuple(gpu.name for gpu in accelerator.gpus)


def _machine(original: Manifest, here: Manifest) -> Iterator[Finding]:
    one, two = original.description.machine, here.description.machine
    if isinstance(one, Unavailable) or isinstance(two, Unavailable):
        return
    for fact, mine, yours in (
        ("operating system", one.os, two.os),
        ("kernel", one.kernel, two.kernel),
        ("host", one.hostname, two.hostname),
        ("memory", one.memory_bytes, two.memory_bytes),
        ("container image", one.container, two.container),
    ):
        yield from differ("machine", fact, mine, yours, "explains")
