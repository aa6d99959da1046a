from __future__ import annotations

import pytest

from tests.support.fake_host import FakeHost, fake_uname
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.machine import probe_machine
from wandb_repro.manifest.base import Unavailable

DEBIAN = 'NAME="Debian"\nPRETTY_NAME="Debian GNU/Linux 12 (bookworm)"\nID=debian\n'


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"/etc/os-release": DEBIAN}, "Debian GNU/Linux 12 (bookworm)"),
        ({"/usr/lib/os-release": "PRETTY_NAME=Alpine\n"}, "Alpine"),
        ({"/etc/os-release": "ID=x\n", "/usr/lib/os-release": DEBIAN.upper()}, "DEBIAN GNU/LINUX"),
        ({}, "Linux 6.1.0"),
    ],
)
def test_the_system_is_named(files: dict[str, str], expected: str) -> None:
    assert probe_machine(FakeHost(files=files)).os.startswith(expected)


def test_kernel_name_and_memory_are_told() -> None:
    told = probe_machine(FakeHost(memory=2**33))
    assert (told.kernel, told.hostname, told.memory_bytes) == ("6.1.0", "node-1", 2**33)


def test_a_machine_without_a_name_says_so() -> None:
    told = probe_machine(FakeHost(system=fake_uname(node="")))
    assert told.hostname == Unavailable(unavailable="the system reports no name")


@pytest.mark.parametrize(
    ("environ", "files", "expected"),
    [
        ({"WANDB_DOCKER": "img@sha256:1", "APPTAINER_CONTAINER": "/a.sif"}, {}, "img@sha256:1"),
        ({"APPTAINER_CONTAINER": "/a.sif"}, {}, "/a.sif"),
        ({"SINGULARITY_CONTAINER": "/a.sif"}, {}, "/a.sif"),
        ({}, {"/run/.containerenv": 'engine="podman"\nimage="r/i:1"\nimageid="ab"\n'}, "r/i:1@ab"),
        ({}, {"/run/.containerenv": 'image="r/i:1"\n'}, "r/i:1"),
    ],
)
def test_an_image_that_is_told_is_recorded(
    environ: dict[str, str], files: dict[str, str], expected: str
) -> None:
    assert probe_machine(FakeHost(environ=environ, files=files)).container == expected


@pytest.mark.parametrize(
    ("environ", "files", "part"),
    [
        ({}, {}, "the image is unknown here"),
        ({"WANDB_DOCKER": ""}, {}, "the image is unknown here"),
        ({}, {"/.dockerenv": ""}, "the image is unknown here"),
        ({}, {"/run/.containerenv": ""}, "the image is unknown here"),
        ({"ECS_CONTAINER_METADATA_URI_V4": "http://a"}, {}, "on Amazon ECS"),
        ({"KUBERNETES_SERVICE_HOST": "10.0.0.1"}, {}, "Kubernetes"),
    ],
)
def test_an_image_that_is_not_told_says_what_to_do(
    environ: dict[str, str], files: dict[str, str], part: str
) -> None:
    told = probe_machine(FakeHost(environ=environ, files=files)).container
    assert isinstance(told, Unavailable)
    assert part in told.unavailable
    assert told.unavailable.endswith("set WANDB_DOCKER to the image's name with its digest")


def test_this_machine_answers() -> None:
    told = probe_machine(Host())
    assert isinstance(told.memory_bytes, int)
