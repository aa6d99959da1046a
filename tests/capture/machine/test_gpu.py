from __future__ import annotations

from types import SimpleNamespace
from typing import NoReturn

from tests.support.fake_host import FakeHost, fake_module
from tests.support.fake_nvml import FakeGpu, FakeNvml
from wandb_repro.capture.machine.gpu import probe_accelerator
from wandb_repro.capture.machine.nvml import Nvml
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Accelerator

MAPS = """\
7f00-7f01 r--p 00000000 08:01 1 /lib/libcudnn.so.9
7f01-7f02 r-xp 00000000 08:01 1 /lib/libcudnn.so.9
7f02-7f03 r-xp 00000000 08:01 2 /usr/lib/libcuda.so.580.65.06
7f03-7f04 r-xp 00000000 08:01 3 /lib/libcublasLt.so.12
7f04-7f05 r-xp 00000000 08:01 4 /lib/libnccl.so.2
7f05-7f06 r-xp 00000000 08:01 5 /lib/libnvrtc-builtins.so.12.9
7f06-7f07 r-xp 00000000 08:01 6 /lib/libcudnn_engines_precompiled.so.9
7f07-7f08 r-xp 00000000 08:01 7 /lib/libcrypt.so.1
7f08-7f09 r--p 00000000 08:01 8 /data/libcuda.so.txt
7f09-7f0a rw-p 00000000 00:00 0 [heap]
"""


def _nothing() -> NoReturn:
    raise OSError("NVML Shared Library Not Found")


def _one_gpu() -> Nvml:
    return FakeNvml([FakeGpu()])


def _tensorflow(**told: object) -> FakeHost:
    sysconfig = SimpleNamespace(get_build_info=lambda: told)
    return FakeHost(modules={"tensorflow": fake_module("tensorflow", sysconfig=sysconfig)})


def test_a_machine_without_a_gpu_says_so_field_by_field() -> None:
    told = probe_accelerator(FakeHost(), _nothing)
    no_driver = Unavailable(unavailable="NVML: OSError: NVML Shared Library Not Found")
    not_imported = Unavailable(unavailable="TensorFlow was not imported")
    assert told == Accelerator(
        gpus=no_driver,
        driver=no_driver,
        cuda_driver=no_driver,
        cuda_build=not_imported,
        cudnn_build=not_imported,
        loaded_libraries=Unavailable(
            unavailable="mapped libraries: FileNotFoundError: "
            "[Errno 2] No such file or directory: '/proc/self/maps'"
        ),
    )


def test_the_driver_is_told() -> None:
    told = probe_accelerator(FakeHost(), _one_gpu)
    assert isinstance(told.gpus, tuple)
    assert (told.driver, told.cuda_driver) == ("580.65.06", "12.9")


def test_the_libraries_really_mapped_are_told_once() -> None:
    told = probe_accelerator(FakeHost(files={"/proc/self/maps": MAPS}), _nothing)
    assert told.loaded_libraries == (
        "libcublasLt.so.12",
        "libcuda.so.580.65.06",
        "libcudnn.so.9",
        "libcudnn_engines_precompiled.so.9",
        "libnccl.so.2",
        "libnvrtc-builtins.so.12.9",
    )


def test_no_library_mapped_is_a_reason() -> None:
    host = FakeHost(files={"/proc/self/maps": "7f00-7f01 r--p 0 08:01 1 /lib/libc.so.6\n"})
    told = probe_accelerator(host, _nothing)
    assert told.loaded_libraries == Unavailable(
        unavailable="no CUDA library is loaded in this process"
    )


def test_what_tensorflow_was_built_with_is_told() -> None:
    told = probe_accelerator(_tensorflow(cuda_version="12.5.1", cudnn_version="9"), _nothing)
    assert (told.cuda_build, told.cudnn_build) == ("12.5.1", "9")


def test_a_build_without_cuda_is_a_reason() -> None:
    told = probe_accelerator(_tensorflow(is_cuda_build=False), _nothing)
    assert told.cuda_build == Unavailable(unavailable="TensorFlow's build names no cuda_version")


def test_a_broken_tensorflow_is_a_reason() -> None:
    told = probe_accelerator(FakeHost(modules={"tensorflow": fake_module("tensorflow")}), _nothing)
    assert isinstance(told.cuda_build, Unavailable)
    assert told.cuda_build.unavailable.startswith("build info: AttributeError")
