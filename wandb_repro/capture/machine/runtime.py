"""What the process computes with."""

from __future__ import annotations

from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.cpu import probe_processor
from wandb_repro.capture.machine.cpu_threads import effective_width
from wandb_repro.capture.process.command_line import ignores_environment
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework, Runtime


def probe_runtime(host: Host, framework: Framework | Unavailable) -> Runtime:
    """Return processor, thread width, hash seed and the framework as it was read before."""
    width, source = effective_width(host, framework)
    return Runtime(
        processor=probe_processor(host),
        intra_op_threads=width,
        intra_op_source=source,
        hash_seed=_hash_seed(host),
        framework=framework,
    )


def _hash_seed(host: Host) -> str:
    if ignores_environment(host.command_line):
        return "random"
    return host.environ.get("PYTHONHASHSEED", "") or "random"
