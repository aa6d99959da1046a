"""Classes of vector instructions, which decide the kernels that run, and caps on them.

oneDNN generates kernels for the highest class that a processor has. ``ONEDNN_MAX_CPU_ISA`` caps
that class, so that a newer processor can run an older one's kernels.

Source: oneDNN 3.x, "CPU Dispatcher Control"; measured with TensorFlow 2.21: AVX2 and SSE41 gave
different bits than AVX512 from the first step on, for every kind of model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

CAP_VARIABLE = "ONEDNN_MAX_CPU_ISA"
CAP_VARIABLES = (CAP_VARIABLE, "DNNL_MAX_CPU_ISA")
"""The second is the older name, which oneDNN still reads."""

_CLASSES: tuple[tuple[str, frozenset[str]], ...] = (
    ("SSE41", frozenset({"sse4_1"})),
    ("AVX", frozenset({"avx"})),
    ("AVX2", frozenset({"avx2"})),
    ("AVX512_CORE", frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"})),
)
"""From the oldest. Classes after AVX512_CORE add types, not wider floats."""

CLASSES = tuple(name for name, _ in _CLASSES)
"""From the oldest."""


def vector_class(instruction_sets: Iterable[str]) -> str:
    """Return the highest class that a processor has; empty if it has none of these.

    ``vector_class(["avx", "avx2", "sse4_1"])`` is ``"AVX2"``.
    """
    flags = set(instruction_sets)
    classes = [name for name, needed in _CLASSES if needed <= flags]
    return classes[-1] if classes else ""


def cap_of(environment: Mapping[str, str]) -> str | None:
    """Return the class that a process is capped to: empty for no cap, None for an unknown one."""
    cap = next(filter(None, map(environment.get, CAP_VARIABLES)), "").strip().upper()
    if cap in ("", "ALL", "DEFAULT"):
        return ""
    classes = [name for name in CLASSES if cap == name or cap.startswith(f"{name}_")]
    return classes[-1] if classes else None


def capped_class(instruction_sets: Iterable[str], cap: str | None) -> str:
    """Return the class in use: the processor's, or the cap if that is lower; empty if unknown."""
    highest = vector_class(instruction_sets)
    if not highest or cap is None:
        return ""
    return min((highest, cap), key=CLASSES.index) if cap else highest


ONEDNN_VARIABLE = "TF_ENABLE_ONEDNN_OPTS"

_NEURAL_NETWORK_FLAGS = frozenset(
    {
        *("avx512_vnni", "avx512_bf16", "avx_vnni"),
        *("amx_tile", "amx_int8", "amx_bf16"),
    }
)
"""On Linux, TensorFlow turns its oneDNN operations on if the processor has one of these.

Source: TensorFlow 2.21, ``core/util/util.cc``; measured on a processor with and one without."""


def onednn_is_on(instruction_sets: Iterable[str], environment: Mapping[str, str]) -> bool:
    """Tell whether TensorFlow uses oneDNN: the variable decides, or else the processor."""
    value = environment.get(ONEDNN_VARIABLE, "").strip().lower()
    if value in ("0", "false"):
        return False
    return value in ("1", "true") or not _NEURAL_NETWORK_FLAGS.isdisjoint(instruction_sets)
