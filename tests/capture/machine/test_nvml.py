from __future__ import annotations

import threading

import pytest

from tests.support.fake_nvml import FakeGpu, FakeNvml
from wandb_repro.capture.machine import nvml as module
from wandb_repro.capture.machine.nvml import Driver, ask_nvml
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Gpu

PROCESS_ID = 4242
REFUSED = "NvmlError: Not Supported"


def _ask(nvml: FakeNvml) -> Driver:
    return ask_nvml(lambda: nvml, PROCESS_ID)


def _gpus(driver: Driver) -> tuple[Gpu, ...]:
    assert not isinstance(driver.gpus, Unavailable)
    return driver.gpus


def test_two_gpus_are_told() -> None:
    second = FakeGpu(name=b"NVIDIA A100", uuid="GPU-2", memory=40, capability=(8, 0), mig=1)
    driver = _ask(FakeNvml([FakeGpu(pids=(PROCESS_ID, 7)), second]))
    assert (driver.version, driver.cuda) == ("580.65.06", "12.9")
    assert _gpus(driver) == (
        Gpu(
            name="NVIDIA H100 80GB HBM3",
            uuid="GPU-1",
            memory_bytes=80 * 2**30,
            compute_capability="9.0",
            mig=False,
            other_processes=1,
        ),
        Gpu(
            name="NVIDIA A100",
            uuid="GPU-2",
            memory_bytes=40,
            compute_capability="8.0",
            mig=True,
            other_processes=0,
        ),
    )


@pytest.mark.parametrize(
    ("function", "field", "reason"),
    [
        ("nvmlDeviceGetUUID", "uuid", f"UUID: {REFUSED}"),
        ("nvmlDeviceGetMemoryInfo", "memory_bytes", f"memory: {REFUSED}"),
        (
            "nvmlDeviceGetCudaComputeCapability",
            "compute_capability",
            f"compute capability: {REFUSED}",
        ),
        ("nvmlDeviceGetMigMode", "mig", f"MIG: {REFUSED}"),
        ("nvmlDeviceGetComputeRunningProcesses", "other_processes", f"processes: {REFUSED}"),
    ],
)
def test_a_refused_question_costs_that_field_only(function: str, field: str, reason: str) -> None:
    (gpu,) = _gpus(_ask(FakeNvml([FakeGpu()], broken=frozenset({function}))))
    told = gpu.model_dump()
    missing = {name for name, value in told.items() if isinstance(value, dict)}
    assert missing == {field}
    assert told[field] == {"unavailable": reason}


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("nvmlDeviceGetCount", {"gpus"}),
        ("nvmlDeviceGetHandleByIndex", {"gpus"}),
        ("nvmlDeviceGetName", {"gpus"}),
        ("nvmlSystemGetDriverVersion", {"version"}),
        ("nvmlSystemGetCudaDriverVersion_v2", {"cuda"}),
        ("nvmlShutdown", set[str]()),
        ("nvmlInit", {"gpus", "version", "cuda"}),
    ],
)
def test_what_the_driver_refuses_is_missing(function: str, expected: set[str]) -> None:
    driver = _ask(FakeNvml([FakeGpu()], broken=frozenset({function})))
    told = driver._asdict().items()
    assert {name for name, value in told if isinstance(value, Unavailable)} == expected


def test_a_driver_that_hangs_is_left_behind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "DEADLINE_S", 0.05)
    release = threading.Event()
    driver = _ask(FakeNvml([FakeGpu()], hangs=release))
    assert driver.gpus == Unavailable(unavailable="NVML: no answer within 0.05 s")
    assert driver.version == driver.cuda == driver.gpus
    release.set()


def test_another_user_of_nvml_is_not_disturbed() -> None:
    nvml = FakeNvml([FakeGpu()], broken=frozenset({"nvmlDeviceGetCount"}))
    _ask(nvml)
    assert nvml.users == 0


def test_a_machine_without_gpus_has_none() -> None:
    assert _gpus(_ask(FakeNvml())) == ()


def test_the_real_library_is_asked_without_raising() -> None:
    driver = ask_nvml(module.load_nvml, PROCESS_ID)
    assert isinstance(driver.gpus, (tuple, Unavailable))
