"""Differences between two processors, judged by the vector instructions that kernels use."""

from __future__ import annotations

from collections.abc import Iterator

from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Processor, Runtime
from wandb_repro.manifest.manifest import Manifest
from wandb_repro.verify.compare_values import both_are, differ, differ_in
from wandb_repro.verify.cpu_instructions import (
    CAP_VARIABLE,
    CLASSES,
    ONEDNN_VARIABLE,
    cap_of,
    capped_class,
    onednn_is_on,
    vector_class,
)
from wandb_repro.verify.finding import Effect, Finding

_SIMILAR_PROCESSOR = "rerun on a processor like the original's, or record the run again on this one"


def processor_differences(
    original: Manifest, here: Manifest, one: Processor, two: Processor
) -> Iterator[Finding]:
    """Yield the differences between the processors of two runs.

    The manifests hold the switches that choose instructions.
    """
    yield from _instructions(original, here, one, two)
    yield from _onednn(original, here, one, two)
    fields = {"processor": "model", "processor caches": "caches"}
    yield from differ_in("processor", one, two, fields, "may change bits", _SIMILAR_PROCESSOR)


def _instructions(
    original: Manifest, here: Manifest, one: Processor, two: Processor
) -> Iterator[Finding]:
    """Yield a difference of instruction sets: it matters if kernels choose another class."""
    flags_1, flags_2 = one.instruction_sets, two.instruction_sets
    effect: Effect = "changes bits"
    cure = _SIMILAR_PROCESSOR
    if not isinstance(flags_1, Unavailable) and not isinstance(flags_2, Unavailable):
        used = used_classes(original, here)
        effect = "may change bits" if used and used[0] == used[1] else "changes bits"
        if effect == "changes bits":
            cure = _cap(vector_class(flags_1), vector_class(flags_2)) or cure
        flags_1, flags_2 = _only_in(flags_1, flags_2), _only_in(flags_2, flags_1)
    yield from differ("processor", "instruction sets", flags_1, flags_2, effect, cure)


def _onednn(
    original: Manifest, here: Manifest, one: Processor, two: Processor
) -> Iterator[Finding]:
    """Yield a difference in whether oneDNN is used: while unset, the processor decides."""
    variables_1, variables_2 = _variables(original), _variables(here)
    value_1 = variables_1.get(ONEDNN_VARIABLE, "not set")
    value_2 = variables_2.get(ONEDNN_VARIABLE, "not set")
    flags_1, flags_2 = one.instruction_sets, two.instruction_sets
    if isinstance(flags_1, Unavailable) or isinstance(flags_2, Unavailable):
        yield from differ("switch", ONEDNN_VARIABLE, value_1, value_2, "may change bits")
        return
    on_1, on_2 = onednn_is_on(flags_1, variables_1), onednn_is_on(flags_2, variables_2)
    cure = f"set {ONEDNN_VARIABLE}={int(on_1)}"
    if on_1 == on_2:
        yield from differ("switch", ONEDNN_VARIABLE, value_1, value_2, "explains", cure)
    elif value_1 == value_2:
        fact = "oneDNN operations (the processor's default)"
        yield from differ("processor", fact, on_1, on_2, "changes bits", cure)
    else:
        undo = f"unset {ONEDNN_VARIABLE}" if value_1 == "not set" else cure
        yield from differ("switch", ONEDNN_VARIABLE, value_1, value_2, "changes bits", undo)


def used_classes(original: Manifest, here: Manifest) -> tuple[str, str] | None:
    """Return the classes of vector instructions in use, caps applied; None if unknown."""
    both = both_are(Runtime, original.description.runtime, here.description.runtime)
    if not both:
        return None
    flags = [runtime.processor.instruction_sets for runtime in both]
    used = [
        "" if isinstance(sets, Unavailable) else capped_class(sets, cap_of(_variables(manifest)))
        for sets, manifest in zip(flags, (original, here), strict=True)
    ]
    return (used[0], used[1]) if all(used) else None


def _only_in(these: tuple[str, ...], those: tuple[str, ...]) -> tuple[str, ...]:
    """Return the flags that only the first has: dozens are the same in both."""
    return tuple(flag for flag in these if flag not in those) or ("no others",)


def _cap(original: str, here: str) -> str:
    """Return how one processor can be limited to what the other has; empty if no cap helps."""
    if not original or not here or original == here:
        return ""
    if CLASSES.index(original) < CLASSES.index(here):
        return f"limit this processor to the original's instructions: {CAP_VARIABLE}={original}"
    return (
        f"this processor has no {original}: record the run again with {CAP_VARIABLE}={here}, "
        "which both have"
    )


def _variables(manifest: Manifest) -> dict[str, str]:
    command = manifest.execution.command
    return {} if isinstance(command, Unavailable) else command.environment
