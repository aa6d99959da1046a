"""How wide one operation runs. On CPUs the width alone decides some bits."""

from __future__ import annotations

from wandb_repro.capture.guard import guarded
from wandb_repro.capture.host import Host
from wandb_repro.manifest.base import Unavailable
from wandb_repro.manifest.runtime import Framework

__all__ = ["effective_width"]


def effective_width(host: Host, framework: Framework | Unavailable) -> tuple[int, str]:
    """Return the threads of one operation, and where that number comes from.

    Source: measured with TensorFlow 2.21. ``tf.config.threading`` beats TF_NUM_INTRAOP_THREADS
    (5 and 3 gave the bits of 3, 3 and 5 those of 5), which beats the schedulable cores; a
    control group's quota counts for nothing.
    """
    told = _told(framework)
    if told is not None:
        return told
    exported = positive(host.environ.get("TF_NUM_INTRAOP_THREADS", ""))
    if exported and _reads_tensorflow_names(framework):
        return exported, "TF_NUM_INTRAOP_THREADS"
    cores = guarded(host.affinity_cores, "affinity")
    if isinstance(cores, Unavailable):
        return 0, f"unknown ({cores})"
    return cores, "schedulable cores"


def positive(text: str) -> int:
    """Return the number, or 0 for whatever is not a positive decimal."""
    stripped = text.strip()
    return int(stripped) if stripped.isascii() and stripped.isdecimal() else 0


def _told(framework: Framework | Unavailable) -> tuple[int, str] | None:
    if isinstance(framework, Unavailable) or isinstance(framework.intra_op_threads, Unavailable):
        return None
    if framework.intra_op_threads <= 0:
        return None
    where = {"tensorflow": "tf.config.threading", "torch": "torch.get_num_threads"}
    return framework.intra_op_threads, where.get(framework.backend, framework.backend)


def _reads_tensorflow_names(framework: Framework | Unavailable) -> bool:
    return isinstance(framework, Unavailable) or framework.backend == "tensorflow"
