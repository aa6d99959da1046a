"""The CPU time that the process's control group (cgroup v1 or v2) allows."""

from __future__ import annotations

from collections.abc import Iterable

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.manifest.base import Unavailable

ROOT = "/sys/fs/cgroup"


def cgroup_cores(host: Host) -> float | Unavailable:
    """Return the smallest CPU quota of the process's control group and its parents, in cores.

    ``cpu.max`` with ``150000 100000`` gives 1.5.

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
            yield from _quota_v2(host, ROOT + folder)
        elif "cpu" in controllers.split(","):
            yield from _quota_v1(host, f"{ROOT}/{controllers}{folder}")
            yield from _quota_v1(host, f"{ROOT}/cpu{folder}")


def _upwards(path: str) -> Iterable[str]:
    """Yield the group's folder and its parents: ``/a/b``, ``/a``, and the root as ``""``."""
    # Inside a container the root is often the container's own group, so it is read too.
    folder = path.rstrip("/")
    while folder:
        yield folder
        folder = folder.rpartition("/")[0]
    yield ""


def _quota_v2(host: Host, folder: str) -> Iterable[float]:
    words = _read(host, f"{folder}/cpu.max").split()
    if len(words) == 2:
        yield from _cores(words[0], words[1])


def _quota_v1(host: Host, folder: str) -> Iterable[float]:
    yield from _cores(
        _read(host, f"{folder}/cpu.cfs_quota_us"), _read(host, f"{folder}/cpu.cfs_period_us")
    )


def _cores(quota: str, period: str) -> Iterable[float]:
    """Yield a quota in cores; nothing for ``max``, ``-1`` and what is not a number."""
    if quota.isdecimal() and period.isdecimal() and int(quota) and int(period):
        yield int(quota) / int(period)


def _read(host: Host, path: str) -> str:
    text = guarded(lambda: host.read_text(path), path)
    return "" if isinstance(text, Unavailable) else text.strip()
