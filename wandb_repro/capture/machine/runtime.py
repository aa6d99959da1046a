"""Processor, hash seed, and the number of threads of one operation.

On a CPU, the number of threads alone changes some bits.
"""

from __future__ import annotations

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.capture.machine.cpu import probe_processor
from wandb_repro.capture.process.command_line import ignores_environment
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.machine import Framework, Runtime


def probe_runtime(host: Host, framework: Framework | Unavailable) -> Runtime:
    """Return processor, threads of one operation, hash seed, and the given framework."""
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


def effective_width(host: Host, framework: Framework | Unavailable) -> tuple[int, str]:
    """Return the number of threads of one operation, and what sets it; 0 if unknown.

    Example: ``(4, "tf.config.threading")``, ``(2, "schedulable cores")``.

    Source: measured with TensorFlow 2.21. ``tf.config.threading`` overrides TF_NUM_INTRAOP_THREADS
    (5 and 3 gave the bits of 3, 3 and 5 those of 5), which overrides the schedulable cores; a
    control group's quota has no effect.
    """
    configured = _configured(framework)
    if configured is not None:
        return configured
    exported = _positive(host.environ.get("TF_NUM_INTRAOP_THREADS", ""))
    if exported and _reads_tensorflow_names(framework):
        return exported, "TF_NUM_INTRAOP_THREADS"
    cores = guarded(host.affinity_cores, "affinity")
    if isinstance(cores, Unavailable):
        return 0, f"unknown ({cores})"
    return cores, "schedulable cores"


def _positive(text: str) -> int:
    """Return the number, or 0 if the text is not a positive decimal."""
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdecimal() else 0


def _configured(framework: Framework | Unavailable) -> tuple[int, str] | None:
    if isinstance(framework, Unavailable) or isinstance(framework.intra_op_threads, Unavailable):
        return None
    if framework.intra_op_threads <= 0:
        return None
    where = {"tensorflow": "tf.config.threading", "torch": "torch.get_num_threads"}
    return framework.intra_op_threads, where.get(framework.backend, framework.backend)


def _reads_tensorflow_names(framework: Framework | Unavailable) -> bool:
    return isinstance(framework, Unavailable) or framework.backend == "tensorflow"
