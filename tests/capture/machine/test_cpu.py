from __future__ import annotations

import pytest

from tests.support.fake_host import FakeHost, fake_uname
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.cpu import cgroup_cores, probe_processor
from wandb_repro.manifest.base import Unavailable

XEON = """\
processor\t: 0
model name\t: Intel(R) Xeon(R) Platinum 8488C
flags\t\t: fpu sse sse2 ssse3 fma sse4_1 sse4_2 avx f16c avx2 smep avx512f avx512_vnni \
amx_bf16 amx_tile avx_vnni sme

processor\t: 1
model name\t: Intel(R) Xeon(R) Platinum 8488C
flags\t\t: fpu
"""
GRAVITON = """\
processor\t: 0
BogoMIPS\t: 243.75
Features\t: fp asimd crc32 fphp asimdhp asimddp sve i8mm bf16 svebf16
CPU implementer\t: 0x41
CPU part\t: 0xd40
"""
CGROUPS = "/sys/fs/cgroup"
CACHE = "/sys/devices/system/cpu/cpu0/cache"


def _caches(*rows: tuple[str, str, str]) -> dict[str, str]:
    names = ("level", "type", "size")
    return {
        f"{CACHE}/index{at}/{name}": f"{value}\n"
        for at, row in enumerate(rows)
        for name, value in zip(names, row, strict=True)
    }


def test_an_x86_processor_is_told() -> None:
    told = probe_processor(FakeHost(files={"/proc/cpuinfo": XEON}, affinity=1))
    assert told.model == "Intel(R) Xeon(R) Platinum 8488C"
    assert told.architecture == "x86_64"
    assert (told.logical_cores, told.affinity_cores) == (2, 1)
    assert told.instruction_sets == (
        *("amx_bf16", "amx_tile", "avx", "avx2", "avx512_vnni", "avx512f", "avx_vnni"),
        *("f16c", "fma", "sse4_1", "sse4_2"),
    )


def test_an_arm_processor_is_told_by_its_numbers() -> None:
    host = FakeHost(files={"/proc/cpuinfo": GRAVITON}, system=fake_uname(machine="aarch64"))
    told = probe_processor(host)
    assert told.model == "ARM implementer 0x41 part 0xd40"
    assert told.architecture == "aarch64"
    assert told.instruction_sets == (
        *("asimd", "asimddp", "asimdhp", "bf16", "fphp", "i8mm", "sve", "svebf16"),
    )


def test_caches_are_told_in_the_kernels_order() -> None:
    files = _caches(("1", "Data", "48K"), ("1", "Instruction", "32K"), ("2", "Unified", "2048K"))
    told = probe_processor(FakeHost(files={**files, f"{CACHE}/uevent": ""}))
    assert told.caches == ("L1d 48K", "L1i 32K", "L2 2048K")


@pytest.mark.parametrize("files", [{}, {"/proc/cpuinfo": ""}, {f"{CACHE}/uevent": ""}])
def test_what_the_machine_does_not_tell_is_a_reason(files: dict[str, str]) -> None:
    told = probe_processor(FakeHost(files=files, affinity=None))
    missing = (told.model, told.instruction_sets, told.logical_cores, told.affinity_cores)
    assert all(isinstance(it, Unavailable) for it in (*missing, told.cgroup_cores, told.caches))


def test_this_machine_answers() -> None:
    told = probe_processor(Host())
    assert isinstance(told.affinity_cores, int)
    assert isinstance(told.logical_cores, int)


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
    known = {f"{CGROUPS}/{path}": text for path, text in files.items()}
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
    known = {f"{CGROUPS}/{path}": text for path, text in files.items()}
    told = cgroup_cores(FakeHost(files={"/proc/self/cgroup": groups, **known}))
    assert told == Unavailable(unavailable="no CPU quota is set")


def test_a_machine_without_control_groups_says_so() -> None:
    told = cgroup_cores(FakeHost())
    assert isinstance(told, Unavailable)
    assert told.unavailable.startswith("control group: FileNotFoundError")
