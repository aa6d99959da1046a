"""The CPU as the process sees it: instruction sets, cores, quota, caches.

The CPU time that the process's control group is given.

How wide one operation runs. On CPUs the width alone decides some bits.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework, Processor

__all__ = ["cgroup_cores", "effective_width", "probe_processor"]


X86_FLAG = re.compile(r"sse4_[12]|avx.*|fma4?|f16c|amx.*|.*vnni.*")
ARM_FLAG = re.compile(r"neon|asimd.*|fphp|sve.*|sme.*|i8mm|bf16")
"""Flags by which oneDNN, Eigen, XLA and OpenBLAS choose their kernels."""

CACHES = "/sys/devices/system/cpu/cpu0/cache"


def probe_processor(host: Host) -> Processor:
    """Return the processor; what the machine does not tell says so field by field."""
    told = guarded(lambda: host.read_text("/proc/cpuinfo"), "/proc/cpuinfo")
    return Processor(
        model=_model(told),
        architecture=host.uname().machine or "unknown",
        instruction_sets=_instruction_sets(told),
        logical_cores=_logical_cores(told),
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
    """Return ARM's numbers for a core, which stand where x86 has a name."""
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
        host.read_text(f"{folder}/{it}").strip() for it in ("level", "type", "size")
    )
    return f"L{level}{ {'Data': 'd', 'Instruction': 'i'}.get(kind, '') } {size}"


ROOT = "/sys/fs/cgroup"


def cgroup_cores(host: Host) -> float | Unavailable:
    """Return the smallest quota on the way up from the process's group, in cores.

    Source: Linux, Documentation/admin-guide/cgroup-v2.rst (``cpu.max``) and
    scheduler/sched-bwc.rst (``cpu.cfs_quota_us``).
    """
    groups = guarded(lambda: host.read_text("/proc/self/cgroup"), "control group")
    if isinstance(groups, Unavailable):
        return groups
    quotas = [cores for line in groups.splitlines() for cores in _of_line(host, line)]
    return min(quotas) if quotas else Unavailable(unavailable="no CPU quota is set")


def _of_line(host: Host, line: str) -> Iterable[float]:
    """Yield the quotas along one line ``ID:CONTROLLERS:PATH``, in cores."""
    parts = line.split(":", 2)
    if len(parts) != 3:
        return
    _, controllers, path = parts
    for folder in _upwards(path):
        if not controllers:
            yield from _second_version(host, ROOT + folder)
        elif "cpu" in controllers.split(","):
            yield from _first_version(host, f"{ROOT}/{controllers}{folder}")
            yield from _first_version(host, f"{ROOT}/cpu{folder}")


def _upwards(path: str) -> Iterable[str]:
    """Yield the group's folder and its parents: ``/a/b``, ``/a``, and the root as ``""``.

    The root is read too: inside a container it is often the container's own group.
    """
    folder = path.rstrip("/")
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _second_version(host: Host, folder: str) -> Iterable[float]:
    words = _read(host, f"{folder}/cpu.max").split()
    if len(words) == 2:
        yield from _cores(words[0], words[1])


def _first_version(host: Host, folder: str) -> Iterable[float]:
    yield from _cores(
        _read(host, f"{folder}/cpu.cfs_quota_us"), _read(host, f"{folder}/cpu.cfs_period_us")
    )


def _cores(quota: str, period: str) -> Iterable[float]:
    """Yield nothing for ``max``, ``-1`` and whatever is not a number."""
    if quota.isdecimal() and period.isdecimal() and int(quota) and int(period):
        yield int(quota) / int(period)


def _read(host: Host, path: str) -> str:
    text = guarded(lambda: host.read_text(path), path)
    return "" if isinstance(text, Unavailable) else text.strip()


def effective_width(host: Host, framework: Framework | Unavailable) -> tuple[int, str]:
    """Return the threads of one operation, and where that number comes from.

    Source: measured with TensorFlow 2.21. ``tf.config.threading`` beats TF_NUM_INTRAOP_THREADS
    (5 and 3 gave the bits of 3, 3 and 5 those of 5), which beats the schedulable cores; a
    control group's quota counts for nothing.
    """
    told = _told(framework)
    if told is not None:
        return told
    exported = positive(host.environ.get("TF_NUM_INTRAOP_THREADS", ""))
    if exported and _reads_tensorflow_names(framework):
        return exported, "TF_NUM_INTRAOP_THREADS"
    cores = guarded(host.affinity_cores, "affinity")
    if isinstance(cores, Unavailable):
        return 0, f"unknown ({cores})"
    return cores, "schedulable cores"


def positive(text: str) -> int:
    """Return the number, or 0 for whatever is not a positive decimal."""
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdecimal() else 0


def _told(framework: Framework | Unavailable) -> tuple[int, str] | None:
    if isinstance(framework, Unavailable) or isinstance(framework.intra_op_threads, Unavailable):
        return None
    if framework.intra_op_threads <= 0:
        return None
    where = {"tensorflow": "tf.config.threading", "torch": "torch.get_num_threads"}
    return framework.intra_op_threads, where.get(framework.backend, framework.backend)


def _reads_tensorflow_names(framework: Framework | Unavailable) -> bool:
    return isinstance(framework, Unavailable) or framework.backend == "tensorflow"
