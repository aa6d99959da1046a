"""What a run found around it: processor, frameworks, GPUs, packages, machine."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Accelerator, Framework, Processor, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.manifest.packages import Distribution, Packages, Repacked
from wandb_repro.verify.compare_values import both_are, differ, recorded, text
from wandb_repro.verify.cpu_instructions import (
    CAP_VARIABLE,
    CLASSES,
    ONEDNN_VARIABLE,
    cap_of,
    capped_class,
    onednn_is_on,
    vector_class,
)
from wandb_repro.verify.finding import Effect, Finding, Kind

__all__ = ["THREADS_VARIABLE", "environment_differences", "frameworks", "has_gpu", "used_classes"]

THREADS_VARIABLE = "TF_NUM_INTRAOP_THREADS"

_SHORT = 12
_NUMERIC_PACKAGES = frozenset(
    {
        "jax",
        "jaxlib",
        "keras",
        "keras-nightly",
        "ml-dtypes",
        "numpy",
        "nvidia-cublas-cu12",
        "nvidia-cudnn-cu12",
        "tensorflow",
        "tensorflow-cpu",
        "tensorflow-intel",
        "tensorflow-macos",
        "tf-nightly",
        "torch",
    }
)


_OF_DATA = "numpy"
"""Kernels do not use it: it changes what a script makes of its data.

Source: measured, float32 products of NumPy 2.2 and 2.4, whose linear algebra is another."""


def environment_differences(original: Manifest, here: Manifest) -> Iterator[Finding]:
    """Yield what differs around two runs, the parts in no order of likelihood."""
    yield from _runtime(original, here)
    yield from _framework(original, here)
    yield from _accelerator(original, here)
    yield from _packages(original, here)
    yield from _machine(original, here)


def frameworks(original: Manifest, here: Manifest) -> tuple[Framework, Framework] | None:
    """Return what both runs know of Keras and its backend; None if one of them does not."""
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
    yield from _instructions(original, here, one.processor, two.processor)
    yield from _onednn(original, here, one.processor, two.processor)
    for fact, mine, yours in (
        ("processor", one.processor.model, two.processor.model),
        ("processor caches", one.processor.caches, two.processor.caches),
    ):
        yield from differ("processor", fact, mine, yours, "may change bits", _SAME_PROCESSOR)
    yield from differ("switch", "PYTHONHASHSEED", one.hash_seed, two.hash_seed, "explains")


_SAME_PROCESSOR = "rerun on a processor like the original's, or record the run again on this one"
_SAME_GPU = "rerun on the original's GPU, or record the run again on this one"


def _instructions(
    original: Manifest, here: Manifest, one: Processor, two: Processor
) -> Iterator[Finding]:
    """Yield a difference of the vector instructions: it counts by the class that kernels choose."""
    mine, yours = one.instruction_sets, two.instruction_sets
    effect: Effect = "changes bits"
    cure = _SAME_PROCESSOR
    if not isinstance(mine, Unavailable) and not isinstance(yours, Unavailable):
        used = used_classes(original, here)
        effect = "may change bits" if used and used[0] == used[1] else "changes bits"
        if effect == "changes bits":
            cure = _cap(vector_class(mine), vector_class(yours)) or cure
        mine, yours = _only(mine, yours), _only(yours, mine)
    yield from differ("processor", "instruction sets", mine, yours, effect, cure)


def _onednn(
    original: Manifest, here: Manifest, one: Processor, two: Processor
) -> Iterator[Finding]:
    """Yield a difference of what the variable does: unset, the processor decides."""
    variables = _variables(original), _variables(here)
    told = [found.get(ONEDNN_VARIABLE, "not set") for found in variables]
    one_has, two_has = one.instruction_sets, two.instruction_sets
    if isinstance(one_has, Unavailable) or isinstance(two_has, Unavailable):
        yield from differ("switch", ONEDNN_VARIABLE, told[0], told[1], "may change bits")
        return
    mine, yours = onednn_is_on(one_has, variables[0]), onednn_is_on(two_has, variables[1])
    cure = f"set {ONEDNN_VARIABLE}={int(mine)}"
    if mine == yours:
        yield from differ("switch", ONEDNN_VARIABLE, told[0], told[1], "explains", cure)
    elif told[0] == told[1]:
        by = "oneDNN operations, by the processor"
        yield from differ("processor", by, mine, yours, "changes bits", cure)
    else:
        own = f"unset {ONEDNN_VARIABLE}" if told[0] == "not set" else cure
        yield from differ("switch", ONEDNN_VARIABLE, told[0], told[1], "changes bits", own)


def used_classes(original: Manifest, here: Manifest) -> tuple[str, str] | None:
    """Return the classes of vector instructions in use, caps applied; None where not known."""
    both = both_are(Runtime, original.description.runtime, here.description.runtime)
    if not both:
        return None
    flags = [one.processor.instruction_sets for one in both]
    used = [
        "" if isinstance(have, Unavailable) else capped_class(have, cap_of(_variables(manifest)))
        for have, manifest in zip(flags, (original, here), strict=True)
    ]
    return (used[0], used[1]) if all(used) else None


def _only(these: tuple[str, ...], those: tuple[str, ...]) -> tuple[str, ...]:
    """Return what tells one list of flags from another: dozens are the same in both."""
    return tuple(flag for flag in these if flag not in those) or ("none more",)


def _cap(original: str, here: str) -> str:
    """Return how one processor can be made to use no more than the other has."""
    if not original or not here or original == here:
        return ""
    if CLASSES.index(original) < CLASSES.index(here):
        return f"cap this processor to the original's: {CAP_VARIABLE}={original}"
    return (
        f"this processor has no {original}: record the run again with {CAP_VARIABLE}={here}, "
        "which both have"
    )


def _variables(manifest: Manifest) -> dict[str, str]:
    command = manifest.execution.command
    return {} if isinstance(command, Unavailable) else command.environment


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
    return f"pass {name}={value} to compile" if isinstance(value, bool) else f"set {name} alike"


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
        cure = f"install it as it was: {text(mine)}"
        yield from differ("accelerator", fact, mine, yours, "may change bits", cure)


def has_gpu(manifest: Manifest) -> bool:
    """Tell whether a run had a GPU, or may have had one: where that is not known."""
    found = manifest.description.accelerator
    return not isinstance(found, Accelerator) or not isinstance(found.gpus, Unavailable)


def _gpus(accelerator: Accelerator) -> object:
    if isinstance(accelerator.gpus, Unavailable):
        return "none"
    return tuple(gpu.name for gpu in accelerator.gpus)


def _packages(original: Manifest, here: Manifest) -> Iterator[Finding]:
    sides = original.execution.packages, here.execution.packages
    yield from recorded("package", "packages", *sides)
    both = both_are(Packages, *sides)
    if not both:
        return
    one, two = both
    yield from differ(
        "interpreter",
        "Python",
        one.interpreter.version,
        two.interpreter.version,
        "may change bits",
        f"run with Python {one.interpreter.version}",
    )
    mine = {found.name: found for found in one.distributions}
    yours = {found.name: found for found in two.distributions}
    unused = _unused(one) & _unused(two)
    for name in sorted({*mine, *yours} - (_unused(one) - {*yours})):
        yield from _package(name, mine.get(name), yours.get(name), unused=name in unused)
    yield from differ(
        "package",
        "packages that it did not load",
        len(_unused(one)),
        len(_unused(one) & {*yours}),
        "explains",
    )
    cure = "install what was edited as it was in the original"
    yield from differ("package", "edits by hand", _edits(one), _edits(two), "may change bits", cure)


def _unused(packages: Packages) -> set[str]:
    """Return the names of what is known not to have been loaded."""
    loaded = packages.loaded
    if isinstance(loaded, Unavailable) or isinstance(loaded.at_end, Unavailable):
        return set()
    used = {*loaded.at_start, *loaded.at_end}
    return {found.name for found in packages.distributions if found.name not in used}


def _edits(packages: Packages) -> tuple[str, ...]:
    """Return the edited files that no repacked wheel brings along."""
    if isinstance(packages.altered, Unavailable):
        return ()
    packed = {one.name for one in packages.distributions if isinstance(one.repacked, Repacked)}
    return tuple(
        f"{one.name}: {file}"
        for one in packages.altered
        if one.name not in packed
        for file in one.files
    )


def _package(
    name: str, original: Distribution | None, here: Distribution | None, *, unused: bool
) -> Iterable[Finding]:
    numeric = name in _NUMERIC_PACKAGES
    effect: Effect = "changes bits" if numeric else "may change bits"
    if unused:  # neither run loaded it
        effect = "explains"
    kind: Kind = "framework" if numeric and name != _OF_DATA else "package"
    mine = original.version if original else "not installed"
    yours = here.version if here else "not installed"
    cure = f"install {name}=={mine}" if original else f"uninstall {name}"
    if mine != yours:
        return differ(kind, name, mine, yours, effect, cure)
    if original and here:
        return differ(
            kind, f"content of {name} {mine}", _content(original), _content(here), effect, cure
        )
    return ()


def _content(found: Distribution) -> str | Unavailable:
    """Return what its installed bytes are known by: a repacked wheel stands for its source."""
    if found.repacked is not None and not isinstance(found.repacked, Unavailable):
        return found.repacked.record_digest[:_SHORT]
    digest = found.record_digest
    return digest if isinstance(digest, Unavailable) else digest[:_SHORT]


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
