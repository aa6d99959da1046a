"""The CPU as the process sees it: instruction sets, cores, quota, caches."""

from __future__ import annotations

import re

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.cpu_quota import cgroup_cores
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Processor

X86_FLAG = re.compile(r"sse4_[12]|avx.*|fma4?|f16c|amx.*|.*vnni.*")
ARM_FLAG = re.compile(r"neon|asimd.*|fphp|sve.*|sme.*|i8mm|bf16")
"""Flags by which oneDNN, Eigen, XLA and OpenBLAS choose their kernels."""

CACHES = "/sys/devices/system/cpu/cpu0/cache"


def probe_processor(host: Host) -> Processor:
    """Return the processor; each field that the machine does not report has a reason instead."""
    cpuinfo = guarded(lambda: host.read_text("/proc/cpuinfo"), "/proc/cpuinfo")
    return Processor(
        model=_model(cpuinfo),
        architecture=host.uname().machine or "unknown",
        instruction_sets=_instruction_sets(cpuinfo),
        logical_cores=_logical_cores(cpuinfo),
        affinity_cores=guarded(host.affinity_cores, "affinity"),
        cgroup_cores=cgroup_cores(host),
        caches=guarded(lambda: _caches(host), "caches"),
    )


def _model(cpuinfo: str | Unavailable) -> str | Unavailable:
    if isinstance(cpuinfo, Unavailable):
        return cpuinfo
    named = _first(cpuinfo, "model name") or _arm_part(cpuinfo)
    return named or Unavailable(unavailable="/proc/cpuinfo names no model")


def _arm_part(cpuinfo: str) -> str:
    """Return ARM's numbers of a core; ``/proc/cpuinfo`` has no model name there."""
    implementer, part = _first(cpuinfo, "CPU implementer"), _first(cpuinfo, "CPU part")
    return f"ARM implementer {implementer} part {part}" if implementer and part else ""


def _instruction_sets(cpuinfo: str | Unavailable) -> tuple[str, ...] | Unavailable:
    if isinstance(cpuinfo, Unavailable):
        return cpuinfo
    for key, known in (("flags", X86_FLAG), ("Features", ARM_FLAG)):
        if flags := _first(cpuinfo, key).split():
            return tuple(sorted(filter(known.fullmatch, set(flags))))
    return Unavailable(unavailable="/proc/cpuinfo lists no flags")


def _logical_cores(cpuinfo: str | Unavailable) -> int | Unavailable:
    if isinstance(cpuinfo, Unavailable):
        return cpuinfo
    count = len(re.findall(r"^processor\s*:", cpuinfo, re.MULTILINE))
    return count or Unavailable(unavailable="/proc/cpuinfo lists no processor")


def _first(cpuinfo: str, key: str) -> str:
    found = re.search(rf"^{re.escape(key)}[ \t]*:[ \t]*(.*)$", cpuinfo, re.MULTILINE)
    return found.group(1).strip() if found else ""


def _caches(host: Host) -> tuple[str, ...] | Unavailable:
    indices = [name for name in host.list_folder(CACHES) if name.startswith("index")]
    if not indices:
        return Unavailable(unavailable=f"{CACHES} lists none")
    return tuple(_cache(host, f"{CACHES}/{name}") for name in sorted(indices))


def _cache(host: Host, folder: str) -> str:
    level, kind, size = (
        host.read_text(f"{folder}/{name}").strip() for name in ("level", "type", "size")
    )
    return f"L{level}{ {'Data': 'd', 'Instruction': 'i'}.get(kind, '') } {size}"
