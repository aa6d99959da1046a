"""The machine that the run was on."""

from __future__ import annotations

import re

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Machine

RELEASE_FILES = ("/etc/os-release", "/usr/lib/os-release")
"""Source: os-release(5), in its order."""

IMAGE_VARIABLES = ("WANDB_DOCKER", "APPTAINER_CONTAINER", "SINGULARITY_CONTAINER")
"""Variables in which W&B and Apptainer name a process's image."""


def probe_machine(host: Host) -> Machine:
    """Return operating system, memory and container, as far as they are known."""
    uname = host.uname()
    return Machine(
        os=_os(host) or f"{uname.system} {uname.release}",
        kernel=uname.release,
        hostname=uname.node or Unavailable(unavailable="the system reports no name"),
        memory_bytes=guarded(host.memory_bytes, "memory"),
        container=_container(host),
    )


def _os(host: Host) -> str:
    for path in RELEASE_FILES:
        match = re.search(r"^PRETTY_NAME=(.+)$", _read(host, path), re.MULTILINE)
        if match:
            return match.group(1).strip().strip("\"'")
    return ""


def _container(host: Host) -> str | Unavailable:
    """Return the image, or why it is not known."""
    # Not /.dockerenv: it also exists on machines that are not containers.
    for name in IMAGE_VARIABLES:
        if host.environ.get(name):
            return host.environ[name]
    return _podman_image(host) or Unavailable(unavailable=_why_unknown(host))


def _podman_image(host: Host) -> str:
    """Return ``IMAGE@ID``. Source: podman-run(1), "/run/.containerenv"."""
    facts = dict(re.findall(r'^(\w+)="(.*)"$', _read(host, "/run/.containerenv"), re.MULTILINE))
    return "@".join(facts[key] for key in ("image", "imageid") if facts.get(key))


def _why_unknown(host: Host) -> str:
    where = next((text for name, text in PLACES.items() if name in host.environ), "here")
    return f"the image is unknown {where}; set WANDB_DOCKER to the image's name with its digest"


PLACES = {
    "ECS_CONTAINER_METADATA_URI_V4": "on Amazon ECS without asking its metadata service",
    "KUBERNETES_SERVICE_HOST": "inside a Kubernetes pod",
}
"""Where the process runs, by the variable that shows it."""


def _read(host: Host, path: str) -> str:
    text = guarded(lambda: host.read_text(path), path)
    return "" if isinstance(text, Unavailable) else text
