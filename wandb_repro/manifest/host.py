"""The machine, to explain a difference; nothing here is restored."""

from __future__ import annotations

from wandb_repro.manifest.base import Record, Unavailable

__all__ = ["Machine"]


class Machine(Record):
    """Operating system, container and memory."""

    os: str
    """Such as ``Debian GNU/Linux 12 (bookworm)``."""
    kernel: str
    hostname: str | Unavailable
    memory_bytes: int | Unavailable
    container: str | Unavailable
    """Image that the process runs in, as far as it can be known from inside."""
