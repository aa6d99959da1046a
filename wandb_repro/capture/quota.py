"""The CPU time that the process's control group is given."""

from __future__ import annotations

from collections.abc import Iterable

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.manifest.base import Unavailable

__all__ = ["cgroup_cores"]

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
