"""Processors that this machine may not have, as ``/proc/cpuinfo`` describes them.

``python -m tests.support.processors newer`` (or ``older``) prints one.
"""

from __future__ import annotations

import sys

import pytest

from wandb_repro.capture.host import Host

__all__ = ["CPUINFO", "MODEL", "WITHOUT_NETWORKS", "WITH_NETWORKS", "cpuinfo", "use_processor"]

CPUINFO = "/proc/cpuinfo"
MODEL = "Imagined x86"

# With pni (SSE3), which every x86-64 processor of today has: Debian's Chromium asks for it.
WITHOUT_NETWORKS = ("pni", "ssse3", "sse4_1", "sse4_2", "avx", "avx2", "fma", "f16c")
"""Instruction sets of a processor that has none for neural networks: TensorFlow leaves its oneDNN
operations off by itself."""

WITH_NETWORKS = (
    *WITHOUT_NETWORKS,
    *("avx512f", "avx512bw", "avx512dq", "avx512vl", "avx512_vnni", "avx512_bf16"),
)
"""Instruction sets of a newer processor, for which TensorFlow turns oneDNN operations on."""


def cpuinfo(instruction_sets: tuple[str, ...], cores: int = 2) -> str:
    """Return what Linux says of an x86 processor."""
    core = "processor\t: {}\nmodel name\t: {}\nflags\t\t: fpu {}\n"
    return "\n".join(
        core.format(number, MODEL, " ".join(instruction_sets)) for number in range(cores)
    )


def use_processor(monkeypatch: pytest.MonkeyPatch, instruction_sets: tuple[str, ...]) -> None:
    """Make this process read another processor; its frameworks still see the real one."""
    real = Host.read_text

    def read_text(host: Host, path: str) -> str:
        return cpuinfo(instruction_sets) if path == CPUINFO else real(host, path)

    monkeypatch.setattr(Host, "read_text", read_text)


if __name__ == "__main__":
    sys.stdout.write(cpuinfo(WITH_NETWORKS if sys.argv[1] == "newer" else WITHOUT_NETWORKS))
