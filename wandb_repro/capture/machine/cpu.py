"""The CPU as the process sees it: instruction sets, cores, quota, caches."""

from __future__ import annotations

import re
from collections.abc import Iterable

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Processor

X86_FLAG = re.compile(r"sse4_[12]|avx.*|fma4?|f16c|amx.*|.*vnni.*")
ARM_FLAG = re.compile(r"neon|asimd.*|fphp|sve.*|sme.*|i8mm|bf16")
"""Flags by which oneDNN, Eigen, XLA and OpenBLAS choose their kernels."""

_CGROUPS = "/sys/fs/cgroup"
_CACHES = "/sys/devices/system/cpu/cpu0/cache"


def probe_processor(host: Host) -> Processor:
    """Return the processor; a field that the machine does not report holds the reason."""
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
    """Return ARM's numbers for the core: ARM's ``/proc/cpuinfo`` has no model name."""
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
    indices = [name for name in host.list_folder(_CACHES) if name.startswith("index")]
    if not indices:
        return Unavailable(unavailable=f"{_CACHES} lists none")
    return tuple(_cache(host, f"{_CACHES}/{name}") for name in sorted(indices))


def _cache(host: Host, folder: str) -> str:
    level, kind, size = (
        host.read_text(f"{folder}/{name}").strip() for name in ("level", "type", "size")
    )
    return f"L{level}{ {'Data': 'd', 'Instruction': 'i'}.get(kind, '') } {size}"


def cgroup_cores(host: Host) -> float | Unavailable:
    """Return the smallest CPU quota of the process's control group and its parents, in cores.

    ``cpu.max`` with ``150000 100000`` is 1.5 cores.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst (``cpu.max``) and
    scheduler/sched-bwc.rst (``cpu.cfs_quota_us``).
    """
    groups = guarded(lambda: host.read_text("/proc/self/cgroup"), "control group")
    if isinstance(groups, Unavailable):
        return groups
    quotas = [cores for line in groups.splitlines() for cores in _quotas_of_line(host, line)]
    return min(quotas) if quotas else Unavailable(unavailable="no CPU quota is set")


def _quotas_of_line(host: Host, line: str) -> Iterable[float]:
    """Yield the quotas along one line ``ID:CONTROLLERS:PATH``, in cores."""
    parts = line.split(":", 2)
    if len(parts) != 3:
        return
    _, controllers, path = parts
    for folder in _upwards(path):
        if not controllers:
            yield from _quota_v2(host, _CGROUPS + folder)
        elif "cpu" in controllers.split(","):
            yield from _quota_v1(host, f"{_CGROUPS}/{controllers}{folder}")
            yield from _quota_v1(host, f"{_CGROUPS}/cpu{folder}")


def _upwards(path: str) -> Iterable[str]:
    """Yield the group's folder and its parents: ``/a/b``, ``/a``, and the root as ``""``."""
    # Inside a container the root is often the container's own group, so it is read too.
    folder = path.rstrip("/")
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _quota_v2(host: Host, folder: str) -> Iterable[float]:
    words = _read_or_empty(host, f"{folder}/cpu.max").split()
    if len(words) == 2:
        yield from _cores(words[0], words[1])


def _quota_v1(host: Host, folder: str) -> Iterable[float]:
    yield from _cores(
        _read_or_empty(host, f"{folder}/cpu.cfs_quota_us"),
        _read_or_empty(host, f"{folder}/cpu.cfs_period_us"),
    )


def _cores(quota: str, period: str) -> Iterable[float]:
    """Yield a quota in cores; nothing for ``max``, ``-1`` or text that is not a number."""
    if quota.isdecimal() and period.isdecimal() and int(quota) and int(period):
        yield int(quota) / int(period)


def _read_or_empty(host: Host, path: str) -> str:
    text = guarded(lambda: host.read_text(path), path)
    return "" if isinstance(text, Unavailable) else text.strip()
