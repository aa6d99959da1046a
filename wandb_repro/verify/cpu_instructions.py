"""Vector instructions as kernels choose by them: a processor's class, and a cap on it.

oneDNN makes its kernels for the highest class that a processor has, and ``ONEDNN_MAX_CPU_ISA``
makes it stay below that: so a newer processor can be asked for an older one's kernels.

Source: oneDNN 3.x, "CPU Dispatcher Control"; measured with TensorFlow 2.21: AVX2 and SSE41 gave
other bits from the first step than AVX512, for every kind of model.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

__all__ = [
    "CAP_VARIABLE",
    "CAP_VARIABLES",
    "CLASSES",
    "ONEDNN_VARIABLE",
    "cap_of",
    "capped_class",
    "onednn_is_on",
    "vector_class",
]

CAP_VARIABLE = "ONEDNN_MAX_CPU_ISA"
CAP_VARIABLES = (CAP_VARIABLE, "DNNL_MAX_CPU_ISA")
"""The second is the name that oneDNN had before, and still reads."""

_CLASSES: tuple[tuple[str, frozenset[str]], ...] = (
    ("SSE41", frozenset({"sse4_1"})),
    ("AVX", frozenset({"avx"})),
    ("AVX2", frozenset({"avx2"})),
    ("AVX512_CORE", frozenset({"avx512f", "avx512bw", "avx512dq", "avx512vl"})),
)
"""From the oldest; what comes after AVX512_CORE adds types, not wider floats."""

CLASSES = tuple(name for name, _ in _CLASSES)
"""From the oldest."""


def vector_class(instruction_sets: Iterable[str]) -> str:
    """Return the highest class that a processor has; empty for none of those known here."""
    have = set(instruction_sets)
    found = [name for name, needed in _CLASSES if needed <= have]
    return found[-1] if found else ""


def cap_of(environment: Mapping[str, str]) -> str | None:
    """Return the class that a process is capped to: empty for no cap, None for one not known."""
    told = next(filter(None, map(environment.get, CAP_VARIABLES)), "").strip().upper()
    if told in ("", "ALL", "DEFAULT"):
        return ""
    found = [name for name in CLASSES if told == name or told.startswith(f"{name}_")]
    return found[-1] if found else None


def capped_class(instruction_sets: Iterable[str], cap: str | None) -> str:
    """Return the class that is used: the processor's, or the cap where that is lower.

    Empty where one of them is not known.
    """
    own = vector_class(instruction_sets)
    if not own or cap is None:
        return ""
    return min((own, cap), key=CLASSES.index) if cap else own


ONEDNN_VARIABLE = "TF_ENABLE_ONEDNN_OPTS"

_FOR_NETWORKS = frozenset(
    {
        *("avx512_vnni", "avx512_bf16", "avx_vnni"),
        *("amx_tile", "amx_int8", "amx_bf16"),
    }
)
"""Source: TensorFlow 2.21, ``core/util/util.cc``: on Linux its oneDNN operations are on where the
processor has one of these, and off where it has none. Measured on one of each kind."""


def onednn_is_on(instruction_sets: Iterable[str], environment: Mapping[str, str]) -> bool:
    """Tell whether TensorFlow uses its oneDNN operations: as it was told, or by the processor."""
    told = environment.get(ONEDNN_VARIABLE, "").strip().lower()
    if told in ("0", "false"):
        return False
    return told in ("1", "true") or not _FOR_NETWORKS.isdisjoint(instruction_sets)
