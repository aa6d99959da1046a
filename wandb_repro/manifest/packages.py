"""The Python environment: interpreter and installed distributions."""

from __future__ import annotations

from typing import Literal

from wandb_repro.manifest.base import ExecutionRecord, Unavailable

__all__ = ["Distribution", "Interpreter", "Packages", "Repacked"]


class Interpreter(ExecutionRecord):
    """The Python that ran."""

    version: str
    """``X.Y.Z``."""
    implementation: str
    """``cpython``."""
    build: str
    """``sys.version``: compiler and build date included."""
    cache_tag: str
    """Such as ``cpython-311``."""
    executable: str
    """Absolute path on the machine that recorded it."""
    libc: str
    """Such as ``glibc 2.36``."""
    platform: str
    """``sysconfig.get_platform()``, such as ``linux-x86_64``."""


class Repacked(ExecutionRecord):
    """A wheel made from installed files, for what no index can give back."""

    name: str
    """File name inside the capsule's ``wheels`` folder."""
    sha256: str
    """Of the wheel, hexadecimal."""
    record_digest: str
    """What ``Distribution.record_digest`` is once this wheel is installed."""
    size_bytes: int
    left_out: tuple[str, ...] = ()
    """What of a source folder stayed out, by its path in the wheel: files that look like secrets,
    links that lead elsewhere."""


class Distribution(ExecutionRecord):
    """One installed distribution."""

    name: str
    """Normalised (PEP 503)."""
    version: str
    origin: Literal["index", "local", "editable", "vcs", "archive"]
    """Where it came from, read from ``direct_url.json`` (PEP 610); without one, an index."""
    origin_detail: str = ""
    """For a VCS install the address without credentials, ``@`` and the commit; else empty."""
    installer: str
    """``pip``, ``uv``, ...; empty when it is not told."""
    tags: tuple[str, ...]
    """Tags of the wheel it was installed from, such as ``cp311-cp311-manylinux_2_28_x86_64``."""
    record_digest: str | Unavailable
    """SHA-256 over the sorted ``path,hash`` rows of RECORD, without what an installer adds."""
    repacked: Repacked | Unavailable | None = None
    """The wheel that gives it back; None when an index can."""


class Packages(ExecutionRecord):
    """Everything installed that the run could import."""

    interpreter: Interpreter
    distributions: tuple[Distribution, ...]
    """Sorted by name; the first on ``sys.path`` where a name stands twice."""
    digest: str
    """SHA-256 over names, versions and record digests: equal when the environments are."""
