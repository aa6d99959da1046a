from __future__ import annotations

import pytest

from tests.support.fake_host import FakeHost
from wandb_repro.capture.machine.cpu_quota import cgroup_cores
from wandb_repro.manifest.base import Unavailable

ROOT = "/sys/fs/cgroup"


@pytest.mark.parametrize(
    ("groups", "files", "cores"),
    [
        # second version
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 1.5),
        ("0::/a/b\n", {"a/b/cpu.max": "200000 100000\n"}, 2.0),
        ("0::/a/b\n", {"a/b/cpu.max": "max 100000\n", "a/cpu.max": "50000 100000\n"}, 0.5),
        ("0::/a\n", {"a/cpu.max": "400000 100000\n", "cpu.max": "100000 100000\n"}, 1.0),
        # first version
        (
            "4:memory:/a\n3:cpu,cpuacct:/a\n0::/\n",
            {
                "cpu,cpuacct/a/cpu.cfs_quota_us": "250000\n",
                "cpu,cpuacct/a/cpu.cfs_period_us": "100000\n",
            },
            2.5,
        ),
        (
            "3:cpuacct,cpu:/docker/x\n",
            {"cpu/cpu.cfs_quota_us": "100000\n", "cpu/cpu.cfs_period_us": "100000\n"},
            1.0,
        ),
    ],
)
def test_the_smallest_quota_on_the_way_up_holds(
    groups: str, files: dict[str, str], cores: float
) -> None:
    known = {f"{ROOT}/{path}": text for path, text in files.items()}
    assert cgroup_cores(FakeHost(files={"/proc/self/cgroup": groups, **known})) == cores


@pytest.mark.parametrize(
    ("groups", "files"),
    [
        ("0::/\n", {}),
        ("0::/\n", {"cpu.max": "max 100000\n"}),
        ("0::/\n", {"cpu.max": "nonsense\n"}),
        ("0::/\n", {"cpu.max": "1000 0\n"}),
        ("1:cpu:/\n", {"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}),
        ("2:cpuset:/\n", {"cpuset/cpu.max": "1 1\n"}),
        ("nonsense", {}),
        ("", {}),
    ],
)
def test_without_a_quota_there_is_a_reason(groups: str, files: dict[str, str]) -> None:
    known = {f"{ROOT}/{path}": text for path, text in files.items()}
    told = cgroup_cores(FakeHost(files={"/proc/self/cgroup": groups, **known}))
    assert told == Unavailable(unavailable="no CPU quota is set")


def test_a_machine_without_control_groups_says_so() -> None:
    told = cgroup_cores(FakeHost())
    assert isinstance(told, Unavailable)
    assert told.unavailable.startswith("control group: FileNotFoundError")
