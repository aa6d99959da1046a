"""GPUs, and the CUDA libraries that are loaded."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.nvml import Nvml, ask_nvml, load_nvml
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Accelerator

LIBRARY = re.compile(
    r"lib(?:cuda|cudart|cudnn|cublas|cufft|cusolver|cusparse|curand|nccl|nvrtc|nvJitLink|nvinfer)"
    r"[\w.+-]*?\.so[\d.]*"
)


def probe_accelerator(host: Host, load: Callable[[], Nvml] = load_nvml) -> Accelerator:
    """Return GPUs, driver and CUDA libraries, or the reason why each is missing.

    Args:
        host: the process.
        load: returns NVML; tests pass a fake.
    """
    driver = ask_nvml(load, host.process_id())
    return Accelerator(
        gpus=driver.gpus,
        driver=driver.version,
        cuda_driver=driver.cuda,
        cuda_build=_build(host, "cuda_version"),
        cudnn_build=_build(host, "cudnn_version"),
        loaded_libraries=guarded(lambda: _loaded(host), "mapped libraries"),
    )


def _build(host: Host, key: str) -> str | Unavailable:
    tensorflow: Any = host.modules.get("tensorflow")
    if tensorflow is None:
        return Unavailable(unavailable="TensorFlow was not imported")
    version: object = guarded(
        lambda: tensorflow.sysconfig.get_build_info().get(key),
        "build info",
        expects=(AttributeError,),  # this TensorFlow has no such function
    )
    if isinstance(version, Unavailable):
        return version
    return (
        str(version) if version else Unavailable(unavailable=f"TensorFlow's build names no {key}")
    )


def _loaded(host: Host) -> tuple[str, ...] | Unavailable:
    """Return the file names of the CUDA libraries that are mapped, sorted."""
    last = (line.rpartition("/")[2] for line in host.read_text("/proc/self/maps").splitlines())
    names = {name for name in last if LIBRARY.fullmatch(name)}
    if not names:
        return Unavailable(unavailable="no CUDA library is loaded in this process")
    return tuple(sorted(names))
